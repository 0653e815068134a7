-- How text came into a note, where its log does not say.

-- name: Programs :many
-- Who of those who wrote a note is no person.
SELECT DISTINCT person.id FROM writer JOIN person ON person.id = writer.person_id
 WHERE writer.note_id = $1 AND person.role = 'service account';

-- name: RecoveredRanges :many
SELECT client_id, from_clock, to_clock, by_id FROM recovered WHERE note_id = $1;

-- name: Declared :many
SELECT person_id, client_id, from_clock, to_clock, how FROM note_declared WHERE note_id = $1 ORDER BY at;

-- name: InsertDeclared :exec
-- Of one person no more than max_rows for a note.
INSERT INTO note_declared (note_id, person_id, client_id, from_clock, to_clock, how)
SELECT sqlc.arg(note), sqlc.arg(person), sqlc.arg(client), sqlc.arg(from_clock), sqlc.arg(to_clock), sqlc.arg(how)
 WHERE (SELECT count(*) FROM note_declared WHERE note_id = sqlc.arg(note) AND person_id = sqlc.arg(person)) < sqlc.arg(max_rows)::bigint
    ON CONFLICT DO NOTHING;

-- name: CarriedRanges :many
SELECT client_id, from_clock, to_clock, source_id, author_id, written_at FROM note_carried WHERE note_id = $1;

-- name: InsertCarried :exec
INSERT INTO note_carried (note_id, client_id, from_clock, to_clock, source_id, author_id, written_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT DO NOTHING;

-- name: ComparedTo :one
SELECT coalesce((SELECT seq FROM note_compared WHERE note_id = $1), 0)::bigint AS seq;

-- name: SetCompared :exec
INSERT INTO note_compared (note_id, seq) VALUES ($1, $2)
    ON CONFLICT (note_id) DO UPDATE SET seq = greatest(note_compared.seq, excluded.seq), at = now();

-- name: MayHaveCarried :one
-- Whether something of a note was carried over, or was pasted since that was looked for: what is pasted is told a little before it is stored.
SELECT (EXISTS (SELECT FROM note_carried WHERE note_carried.note_id = $1)
        OR EXISTS (SELECT FROM note_declared WHERE note_declared.note_id = $1 AND how = 'pasted'
                      AND note_declared.at > coalesce((SELECT note_compared.at - interval '1 minute' FROM note_compared WHERE note_compared.note_id = $1), '-infinity')))::boolean AS may;

-- name: EarlierNotes :many
-- The newest other notes about the same patient that were begun before this one was changed last.
SELECT earlier.id FROM note JOIN note earlier ON earlier.patient_id = note.patient_id AND earlier.id <> note.id
 WHERE note.id = $1 AND earlier.state <> 'destroyed' AND earlier.created_at < note.edited_at
 ORDER BY earlier.created_at DESC, earlier.id
 LIMIT sqlc.arg(max_rows);

-- name: HeadOfNote :one
-- No row: there is no such note.
SELECT head, (state = 'destroyed')::boolean AS destroyed FROM note WHERE id = $1;

-- name: Moved :many
-- What editors said they moved, of elements of clients that are not before the clocks from which on they are asked about.
SELECT moved.person_id, moved.client_id, moved.clocks, moved.lengths, moved.from_clients, moved.from_clocks, moved.after
  FROM note_moved AS moved
  LEFT JOIN (SELECT unnest(sqlc.arg(clients)::bigint[]) AS client_id, unnest(sqlc.arg(since)::bigint[]) AS clock) AS known
         ON known.client_id = moved.client_id
 WHERE moved.note_id = sqlc.arg(note) AND moved.to_clock > coalesce(known.clock, 0)
 ORDER BY moved.client_id, moved.from_clock, moved.at, moved.to_clock, moved.person_id;

-- name: InsertMoved :exec
-- Whoever holds the note's row keeps rows of the log from being stored meanwhile: what is told comes after those that are there, and
-- before all others. Of one person no more than max_pieces for a note.
WITH held AS (
    SELECT head FROM note WHERE id = sqlc.arg(note) FOR SHARE
), told AS (
    SELECT coalesce(max(pieces), 0) + cardinality(sqlc.arg(clocks)::bigint[]) AS pieces
      FROM note_moved WHERE note_id = sqlc.arg(note) AND person_id = sqlc.arg(person)
)
INSERT INTO note_moved (note_id, person_id, client_id, from_clock, to_clock, clocks, lengths, from_clients, from_clocks, after, pieces)
SELECT sqlc.arg(note), sqlc.arg(person), sqlc.arg(client), sqlc.arg(from_clock), sqlc.arg(to_clock), sqlc.arg(clocks)::bigint[],
       sqlc.arg(lengths)::bigint[], sqlc.arg(from_clients)::bigint[], sqlc.arg(from_clocks)::bigint[], held.head, told.pieces
  FROM held, told WHERE told.pieces <= sqlc.arg(max_pieces)::bigint
    ON CONFLICT DO NOTHING;
