-- Tokens, by which programs prove whom they speak for. Only their hashes are here.

-- name: InsertToken :execrows
-- No row: its person has as many as they may.
INSERT INTO api_token (id, hash, person_id, label, scopes, unit_id, by_id, expires_at)
SELECT sqlc.arg(id), sqlc.arg(hash), sqlc.arg(person), sqlc.arg(label), sqlc.arg(scopes), sqlc.narg(unit), sqlc.narg(by), sqlc.arg(expires_at)
 WHERE (SELECT count(*) FROM api_token WHERE person_id = sqlc.arg(person) AND expires_at > now()) < sqlc.arg(most)::bigint;

-- name: PersonByToken :one
-- No row: unknown token, expired, or its owner suspended.
SELECT sqlc.embed(person), api_token.id, api_token.expires_at, api_token.scopes, api_token.unit_id, api_token.used_at, api_token.label
  FROM api_token JOIN person ON person.id = api_token.person_id
 WHERE hash = $1 AND expires_at > now() AND NOT suspended;

-- name: UseToken :exec
UPDATE api_token SET used_at = now() WHERE id = $1;

-- name: TokensOf :many
SELECT api_token.id, label, scopes, coalesce(api_token.unit_id, '')::text AS unit_id, created_at, expires_at, used_at,
       coalesce(issuer.name, '')::text AS by_name
  FROM api_token LEFT JOIN person issuer ON issuer.id = api_token.by_id
 WHERE api_token.person_id = sqlc.arg(person) AND expires_at > now()
 ORDER BY created_at DESC, api_token.id LIMIT sqlc.arg(max_rows);

-- name: RevokeToken :execrows
-- Nobody revokes a colleague's by mistake.
DELETE FROM api_token WHERE id = sqlc.arg(id) AND person_id = sqlc.arg(person);

-- name: DeleteExpiredTokens :exec
DELETE FROM api_token WHERE expires_at <= now();
