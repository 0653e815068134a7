-- append commits one batch of updates to any number of notes and returns, for each note that took them, the seq of its first row.
-- $1 batch id, $2 note ids, $3 updates, $4 author ids, $5 session ids: four arrays of one length, in the order of arrival.
-- Note rows are locked in id order: two batches that share notes wait for each other instead of deadlocking.
-- A note that is missing or signed yields no row, and none of its updates are stored.
-- The receipt in "batch" commits with the rows: a second try of the same batch fails on its primary key.
WITH entry AS (
    SELECT * FROM unnest($2::uuid[], $3::bytea[], $4::uuid[], $5::uuid[])
        WITH ORDINALITY AS entry (note_id, data, author_id, session_id, ord)
), wanted AS (
    SELECT note_id, count(*) AS n FROM entry GROUP BY note_id
), locked AS (
    SELECT note.id FROM note JOIN wanted ON wanted.note_id = note.id
     WHERE note.state = 'draft'
     ORDER BY note.id
       FOR NO KEY UPDATE OF note
), advanced AS (
    UPDATE note SET head = note.head + wanted.n, edited_at = now()
      FROM wanted JOIN locked ON locked.id = wanted.note_id
     WHERE note.id = wanted.note_id
    RETURNING note.id, note.head - wanted.n AS base
), appended AS (
    INSERT INTO note_update (note_id, seq, author_id, session_id, data)
    SELECT entry.note_id, advanced.base + row_number() OVER (PARTITION BY entry.note_id ORDER BY entry.ord),
           entry.author_id, entry.session_id, entry.data
      FROM entry JOIN advanced ON advanced.id = entry.note_id
), receipt AS (
    INSERT INTO batch (id, note_ids, first_seq)
    SELECT $1, coalesce(array_agg(id), '{}'), coalesce(array_agg(base + 1), '{}') FROM advanced
)
SELECT id, base + 1 AS first_seq FROM advanced;
