-- What people wrote in sessions, counted behind the log (sessions/tally).

-- name: NotesToCount :many
-- Notes whose logs have something that is not counted, or sessions that have ended since.
SELECT DISTINCT session.note_id
  FROM session
  JOIN note ON note.id = session.note_id
  LEFT JOIN note_counted ON note_counted.note_id = note.id
 WHERE NOT session.counted AND note.state <> 'destroyed'
   AND (note.head > coalesce(note_counted.seq, 0) OR session.ended_at < now() - interval '1 minute')
 LIMIT $1;

-- name: CountedTo :one
SELECT coalesce((SELECT seq FROM note_counted WHERE note_id = $1), 0)::bigint AS seq, now()::timestamptz AS as_of;

-- name: OpenStretches :many
-- The newest of each person in sessions of a note that may go on.
SELECT DISTINCT ON (stretch.session_id, stretch.person_id) stretch.*
  FROM session JOIN stretch ON stretch.session_id = session.id
 WHERE session.note_id = $1 AND NOT session.counted
 ORDER BY stretch.session_id, stretch.person_id, stretch.first_seq DESC;

-- name: OpenFrom :one
-- The first row that is counted of sessions of a note that may go on; 0: there is none.
SELECT coalesce(min(stretch.first_seq), 0)::bigint
  FROM session JOIN stretch ON stretch.session_id = session.id
 WHERE session.note_id = $1 AND NOT session.counted;

-- name: BaseUpTo :one
SELECT seq, data, sum FROM note_base WHERE note_id = $1 AND seq <= $2 ORDER BY seq DESC LIMIT 1;

-- name: BeginCount :one
-- It waits for whoever counts the same note, and returns up to where they have.
INSERT INTO note_counted (note_id, seq) VALUES ($1, 0)
    ON CONFLICT (note_id) DO UPDATE SET seq = note_counted.seq
RETURNING seq;

-- name: EndCount :exec
UPDATE note_counted SET seq = $2 WHERE note_id = $1;

-- name: SaveStretches :exec
-- A session that is not on record has none.
INSERT INTO stretch (session_id, person_id, first_seq, last_seq, first_at, last_at, edits, typed, typed_words, pasted, pasted_words, deleted, deleted_words)
SELECT one.* FROM (
    SELECT unnest(sqlc.arg(sessions)::uuid[]) AS session_id, unnest(sqlc.arg(people)::uuid[]) AS person_id, unnest(sqlc.arg(first_seqs)::bigint[]) AS first_seq,
           unnest(sqlc.arg(last_seqs)::bigint[]) AS last_seq, unnest(sqlc.arg(first_ats)::timestamptz[]) AS first_at, unnest(sqlc.arg(last_ats)::timestamptz[]) AS last_at,
           unnest(sqlc.arg(edits)::bigint[]) AS edits, unnest(sqlc.arg(typed)::bigint[]) AS typed, unnest(sqlc.arg(typed_words)::bigint[]) AS typed_words,
           unnest(sqlc.arg(pasted)::bigint[]) AS pasted, unnest(sqlc.arg(pasted_words)::bigint[]) AS pasted_words, unnest(sqlc.arg(deleted)::bigint[]) AS deleted,
           unnest(sqlc.arg(deleted_words)::bigint[]) AS deleted_words) one
 WHERE EXISTS (SELECT FROM session WHERE session.id = one.session_id)
    ON CONFLICT (session_id, person_id, first_seq) DO UPDATE
   SET last_seq = excluded.last_seq, last_at = excluded.last_at, edits = excluded.edits, typed = excluded.typed, typed_words = excluded.typed_words,
       pasted = excluded.pasted, pasted_words = excluded.pasted_words, deleted = excluded.deleted, deleted_words = excluded.deleted_words;

-- name: SumWords :exec
UPDATE session SET words = (SELECT coalesce(sum(typed_words + pasted_words), 0) FROM stretch WHERE stretch.session_id = session.id)
 WHERE session.id = ANY (sqlc.arg(sessions)::uuid[]);

-- name: CloseCounted :exec
-- What is under way when a session ends is committed soon, or never.
UPDATE session SET counted = true WHERE note_id = sqlc.arg(note) AND NOT counted AND ended_at < sqlc.arg(as_of)::timestamptz - interval '1 minute';

-- name: StretchesOf :many
SELECT * FROM stretch WHERE session_id = ANY (sqlc.arg(sessions)::uuid[]) ORDER BY session_id, first_seq LIMIT sqlc.arg(max_rows);

-- name: UncountedOf :many
-- Edits of sessions that are not counted yet.
SELECT session.id AS session_id, row.author_id, count(*) AS edits
  FROM session
  LEFT JOIN note_counted ON note_counted.note_id = session.note_id
  JOIN note_update row ON row.session_id = session.id AND row.seq > coalesce(note_counted.seq, 0)
 WHERE session.id = ANY (sqlc.arg(sessions)::uuid[]) AND NOT session.counted
 GROUP BY session.id, row.author_id;
