-- Passkeys, and what browsers have been asked to prove with them or elsewhere.

-- name: PasskeysOf :many
SELECT * FROM passkey WHERE person_id = $1 ORDER BY created_at, id;

-- name: InsertPasskey :exec
INSERT INTO passkey (id, person_id, public_key, aaguid, transports, sign_count, backup_eligible, backed_up, name)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: UsePasskey :execrows
-- No row: it is gone, or its count does not go on, as when a copy of it is used.
UPDATE passkey SET sign_count = sqlc.arg(sign_count), backed_up = sqlc.arg(backed_up), used_at = now()
 WHERE id = sqlc.arg(id) AND (sign_count < sqlc.arg(sign_count) OR sign_count = 0 AND sqlc.arg(sign_count) = 0);

-- name: NamePasskey :execrows
UPDATE passkey SET name = sqlc.arg(name) WHERE id = sqlc.arg(id) AND person_id = sqlc.arg(person);

-- name: LockPerson :one
-- Whoever changes how somebody signs in waits for whoever does so too.
SELECT * FROM person WHERE id = $1 FOR UPDATE;

-- name: DeletePasskey :execrows
DELETE FROM passkey WHERE id = $1 AND person_id = $2;

-- name: CountWaysIn :one
-- An app for codes is none by itself.
SELECT ((SELECT count(*) FROM passkey WHERE passkey.person_id = sqlc.arg(person))
      + (SELECT count(*) FROM identity WHERE identity.person_id = sqlc.arg(person))
      + (SELECT count(*) FROM person WHERE person.id = sqlc.arg(person) AND password_hash IS NOT NULL))::bigint;

-- name: BeginCeremony :exec
WITH gone AS (DELETE FROM ceremony WHERE ceremony.expires_at <= now())
INSERT INTO ceremony (hash, kind, data, expires_at) VALUES (sqlc.arg(hash), sqlc.arg(kind), sqlc.arg(data), sqlc.arg(expires_at));

-- name: TakeCeremony :one
DELETE FROM ceremony WHERE hash = sqlc.arg(hash) AND kind = sqlc.arg(kind) AND expires_at > now() RETURNING data;
