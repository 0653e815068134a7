-- People, their logins and their tokens.

-- name: PersonByUsername :one
-- No row: nobody of that name, or suspended.
SELECT * FROM person WHERE username = $1 AND NOT suspended;

-- name: PersonByID :one
SELECT * FROM person WHERE id = $1 AND NOT suspended;

-- name: InsertToken :exec
INSERT INTO api_token (hash, person_id, expires_at) VALUES ($1, $2, $3);

-- name: PersonByToken :one
-- No row: unknown token, expired, or its owner suspended.
SELECT person.*, api_token.expires_at
  FROM api_token JOIN person ON person.id = api_token.person_id
 WHERE hash = $1 AND expires_at > now() AND NOT suspended;

-- name: FindLogin :one
SELECT data FROM login WHERE token = $1 AND expires_at > now();

-- name: SaveLogin :exec
INSERT INTO login (token, data, expires_at) VALUES ($1, $2, $3)
    ON CONFLICT (token) DO UPDATE SET data = excluded.data, expires_at = excluded.expires_at;

-- name: DeleteLogin :exec
DELETE FROM login WHERE token = $1;

-- name: DeleteExpiredLogins :exec
DELETE FROM login WHERE expires_at <= now();

-- name: DeleteExpiredTokens :exec
DELETE FROM api_token WHERE expires_at <= now();

-- name: PeopleByID :many
-- Suspended ones too: what they did stays theirs.
SELECT * FROM person WHERE id = ANY (sqlc.arg(ids)::uuid[]);
