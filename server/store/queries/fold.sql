-- The log as it is read, rows and bursts alike, and how rows become bursts.

-- name: LogAfter :many
-- A note's log after a seq, in order: rows, and bursts, which have a sum. One statement sees each row once, whoever folds.
-- If there are more bursts than asked for, what comes after them is of no use.
(SELECT first_seq AS seq, last_seq, author_id, session_id, last_at AS at, data, sum
   FROM note_burst WHERE note_burst.note_id = sqlc.arg(note) AND last_seq > sqlc.arg(after)::bigint ORDER BY first_seq LIMIT sqlc.arg(max_bursts))
UNION ALL
(SELECT seq, seq, author_id, session_id, at, data, NULL
   FROM note_update WHERE note_update.note_id = sqlc.arg(note) AND seq > sqlc.arg(after)::bigint ORDER BY seq LIMIT sqlc.arg(max_rows))
ORDER BY 1;

-- name: NotesToFold :many
-- Notes whose base merges rows that folding has not looked at, and that are old enough.
SELECT base.note_id::uuid AS note_id
  FROM (SELECT note_id, max(seq) AS seq FROM note_base GROUP BY note_id) base
  LEFT JOIN note_fold fold ON fold.note_id = base.note_id
  JOIN note_update next ON next.note_id = base.note_id AND next.seq = coalesce(fold.seq, 0) + 1
 WHERE base.seq > coalesce(fold.seq, 0) AND next.at < sqlc.arg(before)
   AND NOT EXISTS (SELECT FROM note WHERE note.id = base.note_id AND note.state = 'destroyed')
 ORDER BY base.seq - coalesce(fold.seq, 0) DESC
 LIMIT sqlc.arg(max_rows);

-- name: BeginFold :one
-- It waits for whoever folds the same note, and returns up to where that has looked. No row: there is no such note.
INSERT INTO note_fold (note_id, seq) SELECT note.id, 0 FROM note WHERE note.id = $1
    ON CONFLICT (note_id) DO UPDATE SET seq = note_fold.seq
RETURNING seq;

-- name: RowsToFold :many
SELECT * FROM note_update WHERE note_id = $1 AND seq > sqlc.arg(after) AND seq <= sqlc.arg(base) ORDER BY seq LIMIT sqlc.arg(max_rows);

-- name: InsertBurst :one
INSERT INTO note_burst (note_id, first_seq, last_seq, author_id, session_id, last_at, data, sum)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
RETURNING *;

-- name: DeleteFolded :execrows
DELETE FROM note_update WHERE note_id = $1 AND seq BETWEEN sqlc.arg(first) AND sqlc.arg(last);

-- name: EndFold :exec
UPDATE note_fold SET seq = $2 WHERE note_id = $1;
