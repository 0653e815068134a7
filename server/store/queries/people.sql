-- People, and how they begin.

-- name: PersonByUsername :one
-- Who signs in. No row: nobody of that name, suspended, or a program, which has tokens.
SELECT * FROM person WHERE username = $1 AND NOT suspended AND role <> 'service account';

-- name: PersonByID :one
SELECT * FROM person WHERE id = $1 AND NOT suspended AND role <> 'service account';

-- name: PeopleByID :many
-- Suspended ones too: what they did stays theirs.
SELECT * FROM person WHERE id = ANY (sqlc.arg(ids)::uuid[]);

-- name: People :many
-- By username, after a person. What is empty is not asked for; all words have to be found.
SELECT sqlc.embed(person), invitation.expires_at AS invited_until,
       (password_hash IS NOT NULL OR EXISTS (SELECT FROM passkey WHERE passkey.person_id = person.id)
        OR EXISTS (SELECT FROM identity WHERE identity.person_id = person.id))::boolean AS has_way,
       coalesce((SELECT string_agg(unit_id, ', ' ORDER BY unit_id) FROM cover WHERE cover.person_id = person.id AND until > now()), '')::text AS covers,
       coalesce((SELECT supervisor.username FROM person supervisor WHERE supervisor.id = person.supervisor_id), '')::text AS supervisor
  FROM person LEFT JOIN invitation ON invitation.person_id = person.id AND invitation.expires_at > now()
 WHERE (sqlc.narg(after)::uuid IS NULL OR person.username > (SELECT last.username FROM person last WHERE last.id = sqlc.narg(after)))
   AND (sqlc.narg(id)::uuid IS NULL OR person.id = sqlc.narg(id))
   AND (sqlc.arg(role)::text = '' OR person.role = sqlc.arg(role))
   AND NOT EXISTS (SELECT FROM unnest(sqlc.arg(words)::text[]) word
                    WHERE strpos(lower(person.username || ' ' || person.name || ' ' || person.role || ' ' || coalesce(person.unit_id, '')), lower(word)) = 0)
 ORDER BY person.username
 LIMIT sqlc.arg(max_rows);

-- name: AnyoneByID :one
-- Suspended ones, too.
SELECT * FROM person WHERE id = $1;

-- name: LockAdministrators :many
-- Whoever changes people waits for whoever does so too.
SELECT id FROM person WHERE role = 'administrator' AND NOT suspended ORDER BY id FOR NO KEY UPDATE;

-- name: LockAnyone :one
SELECT * FROM person WHERE username = $1 FOR NO KEY UPDATE;

-- name: AnyoneByUsername :one
-- Suspended ones, too.
SELECT * FROM person WHERE username = $1;

-- name: UpdatePerson :exec
UPDATE person SET name = $2, role = $3, unit_id = $4, suspended = $5, supervisor_id = $6, patient_id = $7 WHERE id = $1;

-- name: Cover :exec
INSERT INTO cover (person_id, unit_id, until) VALUES ($1, $2, $3) ON CONFLICT (person_id, unit_id) DO UPDATE SET until = excluded.until;

-- name: EndCover :execrows
DELETE FROM cover WHERE person_id = $1 AND unit_id = $2;

-- name: CoversOf :many
SELECT unit_id, until FROM cover WHERE person_id = $1 AND until > now() ORDER BY unit_id;

-- name: DeleteEndedCovers :exec
DELETE FROM cover WHERE until <= now();

-- name: Invite :exec
INSERT INTO invitation (person_id, hash, expires_at) VALUES ($1, $2, $3)
    ON CONFLICT (person_id) DO UPDATE SET hash = excluded.hash, expires_at = excluded.expires_at;

-- name: InvitationOf :one
-- Until when the code works that somebody was given. No row: there is none.
SELECT expires_at FROM invitation WHERE person_id = $1 AND expires_at > now();

-- name: EndInvitation :execrows
DELETE FROM invitation WHERE person_id = $1;

-- name: Invited :one
SELECT sqlc.embed(person) FROM invitation JOIN person ON person.id = invitation.person_id
 WHERE invitation.hash = $1 AND invitation.expires_at > now() AND NOT person.suspended AND person.role <> 'service account';

-- name: UseInvitation :one
-- Once.
DELETE FROM invitation WHERE hash = $1 AND expires_at > now() RETURNING person_id;

-- name: ForgetWays :exec
-- All by which somebody signs in, what they have open, and what speaks for them.
WITH logins AS (
    DELETE FROM login WHERE login.person_id = sqlc.arg(person)::uuid
), tokens AS (
    DELETE FROM api_token WHERE api_token.person_id = sqlc.arg(person)::uuid
), devices AS (
    DELETE FROM device WHERE device.person_id = sqlc.arg(person)::uuid
), app AS (
    DELETE FROM totp WHERE totp.person_id = sqlc.arg(person)::uuid
), sealed AS (
    DELETE FROM data_key WHERE scope = 1 AND owner = sqlc.arg(person)::uuid
), codes AS (
    DELETE FROM recovery_code WHERE recovery_code.person_id = sqlc.arg(person)::uuid
), keys AS (
    DELETE FROM passkey WHERE passkey.person_id = sqlc.arg(person)::uuid
), elsewhere AS (
    DELETE FROM identity WHERE identity.person_id = sqlc.arg(person)::uuid
)
UPDATE person SET password_hash = NULL WHERE person.id = sqlc.arg(person)::uuid;

-- name: SetPassword :one
-- NULL: none. No row: suspended.
UPDATE person SET password_hash = sqlc.narg(phc) WHERE id = sqlc.arg(person) AND NOT suspended RETURNING *;

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
