-- Chains of notes' logs, and what the log of acts says of them.

-- name: NoteToLoad :one
-- No row: there is no such note. restored: an older state of it was put back on purpose. whose: another patient, whose the log of acts
-- says that it is, or was.
SELECT note.head, note.chain, note.patient_id, note.state = 'destroyed' AS destroyed, coalesce(note_searched.seq, 0)::bigint AS searched,
       coalesce((SELECT event.patient_id FROM audit_event event
                  WHERE event.note_id = note.id AND event.code LIKE '%chain=%' AND event.patient_id < note.patient_id LIMIT 1),
                (SELECT event.patient_id FROM audit_event event
                  WHERE event.note_id = note.id AND event.code LIKE '%chain=%' AND event.patient_id > note.patient_id LIMIT 1), note.patient_id)::uuid AS whose,
       EXISTS (SELECT FROM audit_event restore WHERE restore.note_id = note.id AND restore.act = 'note.restore') AS restored
  FROM note LEFT JOIN note_searched ON note_searched.note_id = note.id
 WHERE note.id = $1;

-- name: NewestAnchor :one
-- The furthest that the log of acts has a note's log, by what was recorded between two places. What is replayed there is no further.
SELECT coalesce(substring(audit_event.code FROM 'head=([0-9]{1,18}) chain=')::bigint, 0)::bigint AS head, audit_event.code
  FROM audit_event
 WHERE audit_event.note_id = sqlc.arg(note)::uuid AND audit_event.code LIKE '%chain=%' AND audit_event.act <> 'note.restore'
   AND audit_event.n > sqlc.arg(after) AND audit_event.n < sqlc.arg(before)
 ORDER BY substring(audit_event.code FROM 'head=([0-9]{1,18}) chain=')::bigint DESC NULLS LAST, audit_event.n DESC
 LIMIT 1;

-- name: AnchorTimes :many
-- When the log of acts said how far a note's log had come.
SELECT coalesce(substring(code FROM 'head=([0-9]{1,18}) chain=')::bigint, 0)::bigint AS head, at FROM audit_event
 WHERE note_id = sqlc.arg(note)::uuid AND code LIKE '%chain=%'
 ORDER BY substring(code FROM 'head=([0-9]{1,18}) chain=')::bigint, n;

-- name: WhoseSince :one
-- Whether the log of acts says from a place on that a note is another patient's.
SELECT EXISTS (SELECT FROM audit_event
                WHERE note_id = sqlc.arg(note)::uuid AND code LIKE '%chain=%' AND patient_id <> sqlc.arg(patient)::uuid AND n >= sqlc.arg(since));

-- name: FirstWhose :one
-- Whose a note was when the log of acts first said how far its log had come.
SELECT patient_id FROM audit_event WHERE note_id = sqlc.arg(note)::uuid AND code LIKE '%chain=%' AND patient_id IS NOT NULL ORDER BY n LIMIT 1;

-- name: RestoresOf :many
SELECT n, code, patient_id FROM audit_event WHERE note_id = sqlc.arg(note)::uuid AND act = 'note.restore' ORDER BY n;

-- name: AnchorNotes :many
-- Records how far some notes' logs have come.
INSERT INTO audit_event (act, outcome, patient_id, note_id, code)
SELECT 'note.anchor', 'done', note.patient_id, note.id, 'head=' || note.head || ' chain=' || encode(note.chain, 'base64')
  FROM note WHERE note.id = ANY (sqlc.arg(notes)::uuid[]) AND note.head > 0 AND note.chain IS NOT NULL
RETURNING note_id;

-- name: AnchorBase :exec
-- Records the link of the row up to which a base merges.
INSERT INTO audit_event (act, outcome, patient_id, note_id, code)
SELECT 'note.anchor', 'done', note.patient_id, note.id, sqlc.arg(code)::text FROM note WHERE note.id = sqlc.arg(note);

-- name: NotesNotAnchored :many
-- Notes behind one of them that the log of acts does not have as far as they have come.
SELECT note.id FROM note
 WHERE note.id > sqlc.arg(after) AND note.head > coalesce((
       SELECT substring(event.code FROM 'head=([0-9]{1,18}) chain=')::bigint AS head
         FROM audit_event event
        WHERE event.note_id = note.id AND event.code LIKE '%chain=%'
        ORDER BY substring(event.code FROM 'head=([0-9]{1,18}) chain=')::bigint DESC NULLS LAST, event.n DESC
        LIMIT 1), 0)
 ORDER BY note.id LIMIT sqlc.arg(max_rows);

-- name: NotesAfter :many
SELECT id FROM note WHERE id > sqlc.arg(after) ORDER BY id LIMIT sqlc.arg(max_rows);

-- name: CountNotes :one
SELECT count(*) FROM note;

-- name: ChainsMade :one
SELECT chains FROM sealing;

-- name: SetChainsMade :exec
UPDATE sealing SET chains = true;

-- name: NotesWithoutChain :many
SELECT id FROM note WHERE chain IS NULL AND head > 0 AND state <> 'destroyed';

-- name: LockUnchained :one
-- No row: another server was faster.
SELECT head FROM note WHERE id = $1 AND chain IS NULL FOR UPDATE;

-- name: SetChain :exec
UPDATE note SET chain = $2 WHERE id = $1;

-- name: BasesOf :many
SELECT seq, data FROM note_base WHERE note_id = $1 ORDER BY seq;

-- name: ResealBase :exec
UPDATE note_base SET data = $3, sum = sha256($3) WHERE note_id = $1 AND seq = $2;

-- name: DeleteBase :exec
DELETE FROM note_base WHERE note_id = $1 AND seq = $2;

-- name: NotesGone :many
-- Notes that the log of acts has, and that are not there.
SELECT DISTINCT event.note_id FROM audit_event event
 WHERE event.code LIKE '%chain=%' AND event.note_id IS NOT NULL AND NOT EXISTS (SELECT FROM note WHERE note.id = event.note_id);

-- name: AnchorPlaces :many
-- What entries of the log of acts before a place of it say how far a note's log had come, and their places there.
SELECT audit_event.code, audit_order.seq
  FROM audit_event JOIN audit_order ON audit_order.n = audit_event.n
 WHERE audit_event.note_id = sqlc.arg(note)::uuid AND audit_event.code LIKE '%chain=%' AND audit_event.act <> 'note.restore' AND audit_order.seq < sqlc.arg(before)
 ORDER BY substring(audit_event.code FROM 'head=([0-9]{1,18}) chain=')::bigint, audit_event.n;
