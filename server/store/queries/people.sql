-- People, their logins and their tokens.

-- name: PersonByUsername :one
-- No row: nobody of that name, or suspended.
SELECT * FROM person WHERE username = $1 AND NOT suspended;

-- name: PersonOfLogin :one
-- No row: the login has ended, or its person is suspended.
SELECT sqlc.embed(person), login.input_at
  FROM login JOIN person ON person.id = login.person_id
 WHERE login.token = $1 AND login.expires_at > now() AND NOT person.suspended;

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

-- name: OwnLogin :exec
-- Says whose a login is, so that all of theirs can be ended. Signing in is input.
UPDATE login SET person_id = $2, input_at = $3 WHERE token = $1;

-- name: NoteInput :execrows
-- note is where it was. Input elsewhere, or in a note that does not exist, leaves the note before.
UPDATE login
   SET input_at = greatest(input_at, sqlc.arg(at)::timestamptz),
       note_id = coalesce((SELECT id FROM note WHERE id = sqlc.narg(note)::uuid), note_id)
 WHERE token = sqlc.arg(token) AND expires_at > now();

-- name: LogOff :exec
-- Ends a login without input since a time. Input that another server heard of meanwhile keeps it.
WITH ended AS (
    DELETE FROM login WHERE token = sqlc.arg(token) AND input_at <= sqlc.arg(since)::timestamptz
    RETURNING login.person_id, login.note_id
)
INSERT INTO resume (person_id, note_id, ended_at)
SELECT person_id, note_id, sqlc.arg(at)::timestamptz FROM ended WHERE person_id IS NOT NULL AND note_id IS NOT NULL
    ON CONFLICT (person_id) DO UPDATE SET note_id = excluded.note_id, ended_at = excluded.ended_at;

-- name: Resume :one
-- Once.
DELETE FROM resume WHERE person_id = $1 RETURNING note_id, ended_at;

-- name: DeleteOldResumes :exec
DELETE FROM resume WHERE ended_at <= now() - interval '12 hours';

-- name: People :many
SELECT sqlc.embed(person), invitation.expires_at AS invited_until
  FROM person LEFT JOIN invitation ON invitation.person_id = person.id AND invitation.expires_at > now()
 ORDER BY username;

-- name: AnyoneByUsername :one
-- Suspended ones, too.
SELECT * FROM person WHERE username = $1;

-- name: UpdatePerson :exec
UPDATE person SET name = $2, role = $3, unit_id = $4, suspended = $5 WHERE id = $1;

-- name: Invite :exec
INSERT INTO invitation (person_id, hash, expires_at) VALUES ($1, $2, $3)
    ON CONFLICT (person_id) DO UPDATE SET hash = excluded.hash, expires_at = excluded.expires_at;

-- name: Invited :one
SELECT sqlc.embed(person) FROM invitation JOIN person ON person.id = invitation.person_id
 WHERE invitation.hash = $1 AND invitation.expires_at > now() AND NOT person.suspended;

-- name: AcceptInvitation :one
-- The code works once; every other login of the person ends.
WITH used AS (
    DELETE FROM invitation WHERE invitation.hash = sqlc.arg(code) AND invitation.expires_at > now() RETURNING invitation.person_id
), ended AS (
    DELETE FROM login USING used WHERE login.person_id = used.person_id
), forgotten AS (
    DELETE FROM device USING used WHERE device.person_id = used.person_id
)
UPDATE person SET password_hash = sqlc.arg(phc)::text
  FROM used WHERE person.id = used.person_id AND NOT suspended
RETURNING person.*;

-- name: KnowDevice :exec
INSERT INTO device (hash, person_id) VALUES ($1, $2) ON CONFLICT (person_id, hash) DO UPDATE SET seen_at = now();

-- name: DeviceKnown :one
SELECT EXISTS (SELECT 1 FROM device WHERE device.hash = $1 AND device.person_id = $2);

-- name: DeleteUnseenDevices :exec
DELETE FROM device WHERE seen_at <= now() - interval '1 year';

-- name: InsertTicket :exec
-- Those of the login that were not used in time go.
WITH old AS (DELETE FROM ticket WHERE ticket.login = $2 AND ticket.expires_at <= now())
INSERT INTO ticket (hash, login, note_id, expires_at)
VALUES ($1, $2, $3, now() + make_interval(secs => sqlc.arg(seconds)::float8));

-- name: TakeTicket :one
-- It is gone then, whoever showed it.
DELETE FROM ticket WHERE hash = $1 RETURNING login, note_id, (expires_at > now())::bool AS fresh;

-- name: DeleteExpiredTickets :exec
DELETE FROM ticket WHERE expires_at <= now();
