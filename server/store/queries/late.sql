-- Edits that came after the signature.

-- name: KeepLate :execrows
-- No row: the note is not signed, or another server kept one meanwhile.
INSERT INTO late_edit (note_id, n, author_id, session_id, data)
SELECT note.id, sqlc.arg(n)::bigint, sqlc.arg(author)::uuid, sqlc.narg(session)::uuid, sqlc.arg(data)::bytea
  FROM note
 WHERE note.id = sqlc.arg(note)::uuid AND note.state IN ('signed', 'cosigned', 'added', 'amended', 'retracted')
   AND sqlc.arg(n)::bigint = 1 + (SELECT coalesce(max(n), 0) FROM late_edit WHERE note_id = sqlc.arg(note)::uuid)
    ON CONFLICT DO NOTHING;

-- name: LateKeptSince :one
-- Whether an entry of the log of acts says already that somebody's edits came too late.
SELECT EXISTS (SELECT FROM late_edit WHERE note_id = sqlc.arg(note) AND author_id = sqlc.arg(author) AND at > now() - make_interval(secs => sqlc.arg(seconds)::float8));

-- name: LateEdits :many
SELECT * FROM late_edit WHERE note_id = $1 ORDER BY n;

-- name: LateEditsSettled :many
SELECT * FROM late_edit_settled WHERE note_id = $1 ORDER BY n;

-- name: NotesWithLate :many
-- Notes beside which edits are kept of somebody, or with no author of anybody, about which nothing was decided; the oldest edit first.
SELECT late_edit.note_id, late_edit.author_id, count(*) AS edits, min(late_edit.at)::timestamptz AS since
  FROM late_edit
  JOIN note ON note.id = late_edit.note_id
 WHERE (sqlc.narg(author)::uuid IS NULL OR late_edit.author_id = sqlc.narg(author)) AND note.state <> 'destroyed'
   AND NOT EXISTS (SELECT FROM late_edit_settled settled WHERE settled.note_id = late_edit.note_id AND settled.n = late_edit.n)
 GROUP BY late_edit.note_id, late_edit.author_id
 ORDER BY min(late_edit.at)
 LIMIT sqlc.arg(max_rows);

-- name: SettleLate :execrows
-- Only whose edits they are, and only once.
INSERT INTO late_edit_settled (note_id, n, how, by_id, amendment, reason)
SELECT late_edit.note_id, late_edit.n, sqlc.arg(how), late_edit.author_id, sqlc.narg(amendment), sqlc.narg(reason)
  FROM late_edit
 WHERE late_edit.note_id = sqlc.arg(note) AND late_edit.author_id = sqlc.arg(author) AND late_edit.n = ANY (sqlc.arg(numbers)::bigint[])
    ON CONFLICT DO NOTHING;
