-- append commits one batch of updates to any number of notes and returns, for each note that took them, the seq of its first row.
-- $1 batch id
-- $2 note ids, $3 updates, $4 author ids, $5 session ids, $6 how many updates of the same note come before, counters of $7 the
-- authors and $8 the notes, on which the right to write it was decided: arrays of one length, an element an update, in the
-- order of arrival
-- $9 note ids, each once, $10 how many updates: arrays of one length
-- $11 note ids, $12 client ids, $13 from, $14 to, $15 person ids, $16 ids of who recovered it: arrays of one length, an element a
-- client id that writes. The last is NULL for text of one's own; of text that somebody else brings back $15 may be unknown, NULL.
-- It runs in the transaction of lock.sql, which holds the notes' rows.
-- No row comes back, and nothing is stored, for a note that is missing or signed, or one of whose claims is refused: a
-- client id that is another's, clocks that do not begin where its last ones end, or text recovered when that is not open.
-- With first_seq 0 a note comes back that takes nothing because one of those counters has moved on.
-- How far each note advances is looked up in $10, not joined: the planner would go through all of it for each note.
-- Rows are found by their keys: OFFSET 0 and ANY keep the planner, which guesses how many there are, from reading all of
-- "writer" or "note".
-- The receipt in "batch" commits with the rows: a second try of the same batch fails on its primary key.
WITH entry AS (
    SELECT * FROM unnest($2::uuid[], $3::bytea[], $4::uuid[], $5::uuid[], $6::bigint[], $7::bigint[], $8::bigint[])
        AS entry (note_id, data, author_id, session_id, nth, person_epoch, note_epoch)
), claim AS (
    SELECT * FROM unnest($11::uuid[], $12::bigint[], $13::bigint[], $14::bigint[], $15::uuid[], $16::uuid[])
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
), outdated AS MATERIALIZED (
    SELECT DISTINCT said.note_id
      FROM (SELECT DISTINCT note_id, author_id, person_epoch, note_epoch FROM entry) AS said
     WHERE said.person_epoch IS DISTINCT FROM (SELECT access_epoch FROM person WHERE id = said.author_id)
        OR said.note_epoch IS DISTINCT FROM (SELECT access_epoch FROM note WHERE id = said.note_id)
), advanced AS (
    UPDATE note SET head = note.head + ($10::bigint[])[array_position($9::uuid[], note.id)], edited_at = now()
     WHERE note.id = ANY ($9)
       AND note.state = 'draft'
       AND note.id NOT IN (SELECT note_id FROM forged)
       AND note.id NOT IN (SELECT note_id FROM outdated)
    RETURNING note.id, note.head - ($10::bigint[])[array_position($9::uuid[], note.id)] + 1 AS first_seq
), appended AS (
    INSERT INTO note_update (note_id, seq, author_id, session_id, data)
    SELECT entry.note_id, advanced.first_seq + entry.nth,
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
SELECT note_id, 0 FROM outdated WHERE (SELECT state FROM note WHERE id = outdated.note_id) = 'draft';
