-- Comments on drafts, in threads.

-- name: NoteToComment :one
-- Nobody signs it until the transaction ends.
SELECT patient_id, state FROM note WHERE id = $1 FOR SHARE;

-- name: Threads :many
-- The oldest first.
SELECT * FROM thread WHERE note_id = $1 ORDER BY at, id;

-- name: ThreadActs :many
-- All of a note, or with a thread of that, each thread's in their order.
SELECT * FROM thread_act WHERE note_id = $1 AND (sqlc.narg(thread)::uuid IS NULL OR thread_id = sqlc.narg(thread)) ORDER BY thread_id, n;

-- name: LockThreads :exec
-- Whoever begins a thread about a note at this moment comes after.
SELECT pg_advisory_xact_lock(hashtextextended('threads of ' || sqlc.arg(note)::uuid, 0));

-- name: CountThreads :one
SELECT count(*) FROM thread WHERE note_id = $1;

-- name: HasThreads :one
-- Whether it has any, or should have.
SELECT (EXISTS (SELECT FROM thread WHERE thread.note_id = $1)
    OR EXISTS (SELECT FROM audit_event event WHERE event.note_id = $1 AND event.act = 'note.comment' AND event.code LIKE '%rev=% mark=%'))::boolean;

-- name: MissingThread :many
-- A thread that the log of acts has, and that is not there; none, if all are.
SELECT event.about::uuid FROM audit_event event
 WHERE event.note_id = sqlc.arg(note)::uuid AND event.act = 'note.comment' AND event.code LIKE '%rev=% mark=%' AND event.about IS NOT NULL
   AND NOT EXISTS (SELECT FROM thread WHERE thread.id = event.about AND thread.note_id = event.note_id)
 LIMIT 1;

-- name: InsertThread :exec
INSERT INTO thread (id, note_id, by_id, quote, place) VALUES ($1, $2, $3, $4, $5);

-- name: LockThread :one
-- Whoever says something in it at this moment comes after.
SELECT * FROM thread WHERE id = $1 AND note_id = $2 FOR UPDATE;

-- name: PlaceThread :exec
UPDATE thread SET place = sqlc.arg(place) WHERE id = sqlc.arg(id);

-- name: InsertThreadAct :exec
INSERT INTO thread_act (thread_id, n, note_id, by_id, act, of_n, words) VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: OpenThreads :one
-- How many threads about a note are not resolved.
SELECT count(*) FROM thread
 WHERE thread.note_id = $1
   AND coalesce((SELECT a.act FROM thread_act a WHERE a.thread_id = thread.id AND a.act IN ('resolved', 'reopened') ORDER BY a.n DESC LIMIT 1), 'reopened') = 'reopened';

-- name: PurgeThreadActs :execrows
DELETE FROM thread_act WHERE note_id = $1;

-- name: PurgeThreads :execrows
DELETE FROM thread WHERE note_id = $1;
