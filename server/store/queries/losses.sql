-- Text that updates removed unseen.

-- name: Searched :one
-- No row: there is no such note.
SELECT note.head, note.state = 'destroyed' AS destroyed, coalesce(note_searched.seq, 0)::bigint AS seq
  FROM note LEFT JOIN note_searched ON note_searched.note_id = note.id
 WHERE note.id = $1;

-- name: SetSearched :exec
INSERT INTO note_searched (note_id, seq) VALUES ($1, $2)
    ON CONFLICT (note_id) DO UPDATE SET seq = greatest(note_searched.seq, excluded.seq);

-- name: InsertLoss :exec
-- Whoever searches the same updates finds the same.
INSERT INTO note_loss (note_id, seq, part, author_id, by_id, by_seq, replaced, first_seq,
                       clients, clocks, lengths, paragraphs, place_clients, place_clocks, at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
    ON CONFLICT DO NOTHING;

-- name: Losses :many
-- The newest first, those before one of them; author NULL means everybody's, and waiting leaves out what is settled.
SELECT sqlc.embed(note_loss), settled.how, settled.at AS settled_at
  FROM note_loss
  LEFT JOIN note_loss_settled settled
    ON settled.note_id = note_loss.note_id AND settled.seq = note_loss.seq AND settled.part = note_loss.part
 WHERE note_loss.note_id = sqlc.arg(note)
   AND (note_loss.seq, note_loss.part) < (sqlc.arg(before_seq)::bigint, sqlc.arg(before_part)::smallint)
   AND (sqlc.narg(author)::uuid IS NULL OR note_loss.author_id = sqlc.narg(author))
   AND NOT (sqlc.arg(waiting)::boolean AND settled.seq IS NOT NULL)
 ORDER BY note_loss.seq DESC, note_loss.part DESC
 LIMIT sqlc.arg(max_rows);

-- name: SettleLoss :execrows
-- Only whose text it was settles it, and only once.
INSERT INTO note_loss_settled (note_id, seq, part, how)
SELECT note_loss.note_id, note_loss.seq, note_loss.part, sqlc.arg(how)
  FROM note_loss
 WHERE note_loss.note_id = sqlc.arg(note) AND note_loss.seq = sqlc.arg(seq) AND note_loss.part = sqlc.arg(part)
   AND note_loss.author_id = sqlc.arg(author)
    ON CONFLICT DO NOTHING;
