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
