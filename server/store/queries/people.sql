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

-- name: DeleteExpiredTokens :exec
DELETE FROM api_token WHERE expires_at <= now();

-- name: PeopleByID :many
-- Suspended ones too: what they did stays theirs.
SELECT * FROM person WHERE id = ANY (sqlc.arg(ids)::uuid[]);

-- name: People :many
SELECT sqlc.embed(person), invitation.expires_at AS invited_until,
       (password_hash IS NOT NULL OR EXISTS (SELECT FROM passkey WHERE passkey.person_id = person.id)
        OR EXISTS (SELECT FROM identity WHERE identity.person_id = person.id))::boolean AS has_way,
       coalesce((SELECT string_agg(unit_id, ', ' ORDER BY unit_id) FROM cover WHERE cover.person_id = person.id AND until > now()), '')::text AS covers,
       coalesce((SELECT supervisor.username FROM person supervisor WHERE supervisor.id = person.supervisor_id), '')::text AS supervisor
  FROM person LEFT JOIN invitation ON invitation.person_id = person.id AND invitation.expires_at > now()
 ORDER BY username;

-- name: AnyoneByUsername :one
-- Suspended ones, too.
SELECT * FROM person WHERE username = $1;

-- name: UpdatePerson :exec
UPDATE person SET name = $2, role = $3, unit_id = $4, suspended = $5, supervisor_id = $6, patient_id = $7 WHERE id = $1;

-- name: Cover :exec
INSERT INTO cover (person_id, unit_id, until) VALUES ($1, $2, $3) ON CONFLICT (person_id, unit_id) DO UPDATE SET until = excluded.until;

-- name: EndCover :execrows
DELETE FROM cover WHERE person_id = $1 AND unit_id = $2;

-- name: DeleteEndedCovers :exec
DELETE FROM cover WHERE until <= now();

-- name: Invite :exec
INSERT INTO invitation (person_id, hash, expires_at) VALUES ($1, $2, $3)
    ON CONFLICT (person_id) DO UPDATE SET hash = excluded.hash, expires_at = excluded.expires_at;

-- name: Invited :one
SELECT sqlc.embed(person) FROM invitation JOIN person ON person.id = invitation.person_id
 WHERE invitation.hash = $1 AND invitation.expires_at > now() AND NOT person.suspended;

-- name: AcceptInvitation :one
-- The code works once. Everything else by which the person signed in before ends with it.
WITH used AS (
    DELETE FROM invitation WHERE invitation.hash = sqlc.arg(code) AND invitation.expires_at > now() RETURNING invitation.person_id
), ended AS (
    DELETE FROM login USING used WHERE login.person_id = used.person_id
), forgotten AS (
    DELETE FROM device USING used WHERE device.person_id = used.person_id
), app AS (
    DELETE FROM totp USING used WHERE totp.person_id = used.person_id
), codes AS (
    DELETE FROM recovery_code USING used WHERE recovery_code.person_id = used.person_id
), keys AS (
    DELETE FROM passkey USING used WHERE passkey.person_id = used.person_id
), elsewhere AS (
    DELETE FROM identity USING used WHERE identity.person_id = used.person_id
)
UPDATE person SET password_hash = sqlc.narg(phc)::text
  FROM used WHERE person.id = used.person_id AND NOT suspended
RETURNING person.*;

-- name: ChangePassword :one
-- Of somebody who has one; their other logins end with the old one.
WITH changed AS (
    UPDATE person SET password_hash = sqlc.arg(phc)::text WHERE person.id = sqlc.arg(person) AND password_hash IS NOT NULL AND NOT suspended
    RETURNING person.id
), ended AS (
    DELETE FROM login USING changed WHERE login.person_id = changed.id AND login.id <> sqlc.arg(this)
)
SELECT count(*) FROM changed;

-- name: KnowDevice :exec
INSERT INTO device (hash, person_id) VALUES ($1, $2) ON CONFLICT (person_id, hash) DO UPDATE SET seen_at = now();

-- name: DeviceKnown :one
SELECT EXISTS (SELECT 1 FROM device WHERE device.hash = $1 AND device.person_id = $2);

-- name: DeleteUnseenDevices :exec
DELETE FROM device WHERE seen_at <= now() - interval '1 year';
