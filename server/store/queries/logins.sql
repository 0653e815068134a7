-- Browser logins. scs makes their secrets, which reach the database hashed.

-- name: FindLogin :one
SELECT data FROM login WHERE token = $1 AND expires_at > now();

-- name: SaveLogin :exec
INSERT INTO login (token, data, expires_at) VALUES ($1, $2, $3)
    ON CONFLICT (token) DO UPDATE SET data = excluded.data, expires_at = excluded.expires_at;

-- name: DeleteLogin :exec
DELETE FROM login WHERE token = $1;

-- name: DeleteExpiredLogins :exec
DELETE FROM login WHERE expires_at <= now();

-- name: OwnLogin :exec
-- Says whose a login is, when they proved it, and where if not here. Signing in is input.
UPDATE login SET person_id = sqlc.arg(person), browser = sqlc.arg(browser), proven_at = sqlc.arg(proven_at), input_at = sqlc.arg(input_at),
                 issuer = sqlc.narg(issuer), subject = sqlc.narg(subject), sid = sqlc.narg(sid), strong = sqlc.arg(strong)
 WHERE token = sqlc.arg(token);

-- name: PersonOfLogin :one
-- No row: no such login, expired, or its owner suspended, or become a program, which has tokens.
SELECT sqlc.embed(person), login.id, login.expires_at, login.proven_at, login.seen_at, login.input_at, login.strong, login.browser
  FROM login JOIN person ON person.id = login.person_id
 WHERE login.token = $1 AND login.expires_at > now() AND NOT person.suspended AND person.role <> 'service account';

-- name: PersonOfLoginNamed :one
SELECT sqlc.embed(person), login.id, login.expires_at, login.proven_at, login.seen_at, login.input_at, login.strong, login.browser
  FROM login JOIN person ON person.id = login.person_id
 WHERE login.id = $1 AND login.expires_at > now() AND NOT person.suspended AND person.role <> 'service account';

-- name: LengthenLogin :exec
-- Of a display.
UPDATE login SET expires_at = greatest(expires_at, $2) WHERE id = $1;

-- name: SeeLogin :exec
UPDATE login SET seen_at = now() WHERE id = $1;

-- name: RenewLogin :one
-- The old secret opens nothing any more; the login goes on, unless nobody has used it for too long. To prove who one is is input.
UPDATE login SET token = sqlc.arg(fresh), proven_at = greatest(proven_at, sqlc.arg(proven)::timestamptz), strong = strong OR sqlc.arg(strong)::boolean, input_at = greatest(input_at, sqlc.arg(at)::timestamptz)
 WHERE id = sqlc.arg(id) AND expires_at > now() AND input_at > sqlc.arg(used_since)
RETURNING expires_at;

-- name: NoteInput :execrows
-- note is where it was. Input elsewhere, or in a note that does not exist, leaves the note before.
UPDATE login
   SET input_at = greatest(input_at, sqlc.arg(at)::timestamptz),
       note_id = coalesce((SELECT id FROM note WHERE id = sqlc.narg(note)::uuid), note_id)
 WHERE login.id = sqlc.arg(id) AND expires_at > now();

-- name: LogOff :exec
-- Ends a login without input since a time. Input that another server heard of meanwhile keeps it.
WITH ended AS (
    DELETE FROM login WHERE login.id = sqlc.arg(id) AND input_at <= sqlc.arg(since)::timestamptz
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

-- name: EndLogin :one
DELETE FROM login WHERE token = $1 RETURNING id, person_id;

-- name: EndLoginNamed :exec
DELETE FROM login WHERE id = $1;

-- name: LoginsOf :many
SELECT id, browser, began_at, seen_at FROM login
 WHERE person_id = sqlc.arg(person) AND expires_at > now() AND input_at > sqlc.arg(used_since)
 ORDER BY seen_at DESC, began_at DESC LIMIT sqlc.arg(max_rows);

-- name: EndLoginOf :execrows
-- Nobody ends a colleague's.
DELETE FROM login WHERE id = sqlc.arg(id) AND person_id = sqlc.arg(person);

-- name: EndOtherLoginsOf :execrows
DELETE FROM login WHERE person_id = sqlc.arg(person) AND id <> sqlc.arg(this);

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
