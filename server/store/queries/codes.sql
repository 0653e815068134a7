-- Codes from people's apps (RFC 6238), and those that stand for one when the app is lost. What they are made
-- from is sealed here: server/store/apps.go opens it.

-- name: TOTP :one
SELECT * FROM totp WHERE person_id = $1;

-- name: BeginTOTP :exec
INSERT INTO totp (person_id, pending, pending_at) VALUES ($1, $2, now())
    ON CONFLICT (person_id) DO UPDATE SET pending = excluded.pending, pending_at = excluded.pending_at;

-- name: AcceptTOTP :execrows
-- The pending secret, sealed anew, counts from now on, beginning after that step, with recovery codes of its own. No row: it is
-- not pending.
WITH accepted AS (
    UPDATE totp SET secret = sqlc.arg(secret)::bytea, step = sqlc.arg(step), pending = NULL, pending_at = NULL
     WHERE totp.person_id = sqlc.arg(person) AND pending = sqlc.arg(pending)::bytea
    RETURNING totp.person_id
), old AS (
    DELETE FROM recovery_code USING accepted WHERE recovery_code.person_id = accepted.person_id
)
INSERT INTO recovery_code (person_id, hash) SELECT accepted.person_id, unnest(sqlc.arg(hashes)::bytea[]) FROM accepted;

-- name: UseTOTP :execrows
-- No row: that step, or a later one, was used before.
UPDATE totp SET step = sqlc.arg(step) WHERE person_id = sqlc.arg(person) AND secret IS NOT NULL AND step < sqlc.arg(step);

-- name: DeleteTOTP :exec
WITH codes AS (DELETE FROM recovery_code WHERE recovery_code.person_id = $1),
     keys AS (DELETE FROM data_key WHERE scope = 1 AND owner = $1)
DELETE FROM totp WHERE totp.person_id = $1;

-- name: ReplaceRecoveryCodes :execrows
-- Only who has an app needs any.
WITH app AS (
    SELECT totp.person_id FROM totp WHERE totp.person_id = sqlc.arg(person) AND secret IS NOT NULL
), old AS (
    DELETE FROM recovery_code USING app WHERE recovery_code.person_id = app.person_id
)
INSERT INTO recovery_code (person_id, hash) SELECT app.person_id, unnest(sqlc.arg(hashes)::bytea[]) FROM app;

-- name: UseRecoveryCode :execrows
DELETE FROM recovery_code WHERE person_id = $1 AND hash = $2;

-- name: CountRecoveryCodes :one
SELECT count(*) FROM recovery_code WHERE person_id = $1;
