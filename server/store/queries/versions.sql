-- Versions of notes, and up to where people have seen them.

-- name: LockVersions :exec
-- Whoever names a version of a note at this moment comes after.
SELECT pg_advisory_xact_lock(hashtextextended('versions of ' || sqlc.arg(note)::uuid, 0));

-- name: Versions :many
-- The newest named first.
SELECT version.*, person.name AS by_name FROM version JOIN person ON person.id = version.by_id
 WHERE version.note_id = $1 ORDER BY version.at DESC, version.id;

-- name: InsertVersion :execrows
INSERT INTO version (id, note_id, seq, name, by_id)
SELECT sqlc.arg(id), note.id, sqlc.arg(seq), sqlc.arg(name), sqlc.arg(by_id)
  FROM note WHERE note.id = sqlc.arg(note_id) AND note.head >= sqlc.arg(seq) AND note.state <> 'destroyed';

-- name: RenameVersion :execrows
UPDATE version SET name = sqlc.arg(name) WHERE id = sqlc.arg(id) AND note_id = sqlc.arg(note_id) AND by_id = sqlc.arg(by_id);

-- name: DeleteVersion :execrows
DELETE FROM version WHERE id = sqlc.arg(id) AND note_id = sqlc.arg(note_id) AND by_id = sqlc.arg(by_id);

-- name: NoteTurns :many
SELECT seq, was, state, at FROM note_turn WHERE note_id = $1 ORDER BY n LIMIT $2;

-- name: LookAtNote :exec
SELECT look_at_note(sqlc.arg(person)::uuid, sqlc.arg(note)::uuid);

-- name: LastLook :one
-- No row: they have never looked.
SELECT look.seq, look.at, look.since_seq, look.at > now() - interval '10 minutes' AS looking, note.head
  FROM last_look AS look JOIN note ON note.id = look.note_id WHERE look.person_id = $1 AND look.note_id = $2;

-- name: ChangedSinceLook :many
-- Of these notes, those that have changed since a person looked at them.
SELECT note.id FROM last_look JOIN note ON note.id = last_look.note_id
 WHERE last_look.person_id = sqlc.arg(person) AND note.id = ANY(sqlc.arg(notes)::uuid[]) AND note.head > last_look.seq;

-- name: WritersSince :many
-- Who has written rows of a note behind seq, but for one person.
SELECT DISTINCT row.author_id FROM note_update AS row WHERE row.note_id = sqlc.arg(note) AND row.seq > sqlc.arg(seq) AND row.author_id <> sqlc.arg(person)
 UNION SELECT DISTINCT burst.author_id FROM note_burst AS burst WHERE burst.note_id = sqlc.arg(note) AND burst.last_seq > sqlc.arg(seq) AND burst.author_id <> sqlc.arg(person);
