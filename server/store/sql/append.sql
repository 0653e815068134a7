-- append commits one batch of updates to any number of notes and returns, for each note that took them, the seq of its first row.
-- $1 batch id
-- $2 note ids, $3 updates, $4 author ids, $5 session ids, $6 how many updates of the same note come before, $7 place in $8,
-- from 1: arrays of one length, an element an update, in the order of arrival
-- $8 author ids, $9 their counters on which the right to write was decided: arrays of one length, each pair once
-- $10 note ids, each once, $11 how many updates, $12 their counters on which the right to write was decided, -1 if on several:
-- arrays of one length
-- $13 note ids, $14 client ids, $15 from, $16 to, $17 person ids, $18 ids of who recovered it: arrays of one length, an element a
-- client id that writes. The last is NULL for text of one's own; of text that somebody else brings back $17 may be unknown, NULL.
-- $19 for each of $10 the seq that its first update was sealed for. If a note that takes them is elsewhere by now, nothing of
-- the batch is stored: the seq is no number then, which the table refuses.
-- $20 for each of $10 the link of its chain behind its updates.
-- It runs in the transaction of lock.sql, which holds the notes' rows.
-- No row comes back, and nothing is stored, for a note that is missing or destroyed, or one of whose claims is refused: a
-- client id that is another's, clocks that do not begin where its last ones end, or text recovered when that is not open.
-- With first_seq 0 a note comes back that takes nothing because one of its counters has moved on, or because it is signed, or frozen
-- to be signed: its writers are to be decided about anew.
-- What belongs to a note of $10 is looked up, not joined: the planner would go through all of it for each note.
-- Rows are found by their keys: OFFSET 0 and ANY keep the planner, which guesses how many there are, from reading all of
-- "writer" or "note".
-- The receipt in "batch" commits with the rows: a second try of the same batch fails on its primary key.
WITH entry AS (
    SELECT * FROM unnest($2::uuid[], $3::bytea[], $4::uuid[], $5::uuid[], $6::bigint[], $7::bigint[])
        AS entry (note_id, data, author_id, session_id, nth, decided)
), claim AS (
    SELECT * FROM unnest($13::uuid[], $14::bigint[], $15::bigint[], $16::bigint[], $17::uuid[], $18::uuid[])
        AS claim (note_id, client_id, from_clock, to_clock, person_id, recovered_by)
), forged AS (
    SELECT claim.note_id
      FROM claim LEFT JOIN LATERAL (
               SELECT next_clock, person_id
                 FROM writer
                WHERE note_id = claim.note_id AND client_id = claim.client_id
               OFFSET 0
           ) AS writer ON true
     WHERE claim.from_clock <> coalesce(writer.next_clock, 0)
        OR writer.person_id <> claim.person_id
        OR claim.recovered_by IS NOT NULL
           AND NOT coalesce((SELECT recovery_until > now() FROM note WHERE id = claim.note_id), false)
), changed AS ( -- what was decided on counters that have moved on
    SELECT said.nth
      FROM unnest($8::uuid[], $9::bigint[]) WITH ORDINALITY AS said (person_id, epoch, nth)
     WHERE said.epoch IS DISTINCT FROM (SELECT access_epoch FROM person WHERE id = said.person_id)
), advanced AS (
    UPDATE note SET head = note.head + ($11::bigint[])[array_position($10::uuid[], note.id)], edited_at = now(),
           chain = ($20::bytea[])[array_position($10::uuid[], note.id)]
     WHERE note.id = ANY ($10)
       AND writable(note.state, note.frozen_until)
       AND note.access_epoch = ($12::bigint[])[array_position($10::uuid[], note.id)]
       AND note.id NOT IN (SELECT note_id FROM forged)
       AND note.id NOT IN (SELECT note_id FROM entry WHERE decided IN (SELECT nth FROM changed))
    RETURNING note.id, note.head - ($11::bigint[])[array_position($10::uuid[], note.id)] + 1 AS first_seq,
              ($19::bigint[])[array_position($10::uuid[], note.id)] AS sealed_for
), appended AS (
    INSERT INTO note_update (note_id, seq, author_id, session_id, data)
    SELECT entry.note_id, CASE WHEN advanced.first_seq = advanced.sealed_for THEN advanced.first_seq + entry.nth END,
           entry.author_id, entry.session_id, entry.data
      FROM entry JOIN advanced ON advanced.id = entry.note_id
), bound AS (
    INSERT INTO writer (note_id, client_id, person_id, next_clock)
    SELECT claim.note_id, claim.client_id, claim.person_id, claim.to_clock
      FROM claim JOIN advanced ON advanced.id = claim.note_id
        ON CONFLICT (note_id, client_id) DO UPDATE
       SET next_clock = excluded.next_clock, person_id = coalesce(writer.person_id, excluded.person_id)
), brought AS (
    INSERT INTO recovered (note_id, client_id, from_clock, to_clock, by_id)
    SELECT claim.note_id, claim.client_id, claim.from_clock, claim.to_clock, claim.recovered_by
      FROM claim JOIN advanced ON advanced.id = claim.note_id
     WHERE claim.recovered_by IS NOT NULL
), receipt AS (
    INSERT INTO batch (id, note_ids, first_seq)
    SELECT $1, coalesce(array_agg(id), '{}'), coalesce(array_agg(first_seq), '{}') FROM advanced
)
SELECT id, first_seq FROM advanced
UNION ALL
SELECT outdated.id, 0
  FROM (SELECT id FROM unnest($10::uuid[]) AS id
         WHERE id NOT IN (SELECT id FROM advanced) AND id NOT IN (SELECT note_id FROM forged) OFFSET 0) AS outdated
 WHERE (SELECT state FROM note WHERE id = outdated.id) <> 'destroyed';
