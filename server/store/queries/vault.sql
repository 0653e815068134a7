-- Keys of package vault: names of key-encryption keys, and wrapped data keys.

-- name: AdoptKEK :execrows
-- If the database has none. Who is second waits for the first.
INSERT INTO kek (id) SELECT sqlc.arg(id)::bytea WHERE NOT EXISTS (SELECT FROM kek) ON CONFLICT DO NOTHING;

-- name: KEK :one
SELECT * FROM kek;

-- name: PersonKey :one
SELECT * FROM person_key WHERE person_id = $1 AND epoch = $2;

-- name: NextPersonEpoch :one
SELECT (coalesce(max(epoch), 0) + 1)::integer FROM person_key WHERE person_id = $1;

-- name: InsertPersonKey :exec
INSERT INTO person_key (person_id, epoch, kek, wrapped, commitment, tag) VALUES ($1, $2, $3, $4, $5, $6);

-- name: KeepPersonKeys :exec
-- What others sealed is gone for good.
DELETE FROM person_key WHERE person_id = $1 AND epoch <> ALL(sqlc.arg(epochs)::integer[]);

-- name: PersonKeys :many
SELECT * FROM person_key WHERE (person_id, epoch) > (sqlc.arg(after_person)::uuid, sqlc.arg(after_epoch)::integer)
 ORDER BY person_id, epoch LIMIT sqlc.arg(max_rows);

-- name: CountUnsealedTOTPs :one
-- In the clear they have 20 bytes, sealed 53.
SELECT count(*) FROM totp WHERE octet_length(secret) <= 20 OR octet_length(pending) <= 20;

-- name: LockTOTPs :exec
LOCK TABLE totp IN ACCESS EXCLUSIVE MODE;

-- name: AllTOTPs :many
SELECT * FROM totp;

-- name: EmptyTOTPs :exec
-- The file of the table goes with the transaction; deleted or changed rows would stay in it.
TRUNCATE totp;

-- name: InsertTOTP :exec
INSERT INTO totp (person_id, secret, step, pending, pending_at) VALUES ($1, $2, $3, $4, $5);

-- name: NoteKeys :many
SELECT * FROM note_key WHERE note_id = $1 ORDER BY epoch;

-- name: NoteHead :one
SELECT head FROM note WHERE id = $1;

-- name: NoteHeads :many
SELECT id, head FROM note WHERE id = ANY(sqlc.arg(notes)::uuid[]);

-- name: InsertNoteKey :execrows
-- No row: another server was faster.
INSERT INTO note_key (note_id, epoch, from_seq, kek, wrapped, commitment, tag) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING;

-- name: AllNoteKeys :many
SELECT * FROM note_key WHERE (note_id, epoch) > (sqlc.arg(after_note)::uuid, sqlc.arg(after_epoch)::integer)
 ORDER BY note_id, epoch LIMIT sqlc.arg(max_rows);

-- name: SetNotesSealed :exec
UPDATE kek SET notes_sealed = true;

-- name: NotesInTheClear :many
SELECT id FROM note WHERE NOT EXISTS (SELECT FROM note_key WHERE note_id = note.id);

-- name: HasNotes :one
SELECT EXISTS (SELECT FROM note);

-- name: LockNote :one
SELECT head FROM note WHERE id = $1 FOR UPDATE;

-- name: UpdatesInTheClear :many
SELECT * FROM note_update WHERE note_id = $1 AND seq > sqlc.arg(after) ORDER BY seq LIMIT sqlc.arg(max_rows);

-- name: SealUpdate :batchexec
UPDATE note_update SET data = $3 WHERE note_id = $1 AND seq = $2;

-- name: BurstsInTheClear :many
SELECT * FROM note_burst WHERE note_id = $1 ORDER BY first_seq;

-- name: SealBurst :exec
UPDATE note_burst SET data = $3 WHERE note_id = $1 AND first_seq = $2;

-- name: BasesInTheClear :many
SELECT * FROM note_base WHERE note_id = $1;

-- name: SealBase :exec
UPDATE note_base SET data = $3, sum = sha256($3) WHERE note_id = $1 AND seq = $2;
