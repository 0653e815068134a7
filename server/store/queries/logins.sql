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
-- Says whose a login is, when they proved it, and where if not here.
UPDATE login SET person_id = sqlc.arg(person), browser = sqlc.arg(browser), proven_at = sqlc.arg(proven_at),
                 issuer = sqlc.narg(issuer), subject = sqlc.narg(subject), sid = sqlc.narg(sid)
 WHERE token = sqlc.arg(token);

-- name: PersonOfLogin :one
-- No row: no such login, expired, or its owner suspended.
SELECT sqlc.embed(person), login.id, login.expires_at, login.proven_at, login.seen_at
  FROM login JOIN person ON person.id = login.person_id
 WHERE login.token = $1 AND login.expires_at > now() AND NOT person.suspended;

-- name: PersonOfLoginNamed :one
SELECT sqlc.embed(person), login.id, login.expires_at, login.proven_at, login.seen_at
  FROM login JOIN person ON person.id = login.person_id
 WHERE login.id = $1 AND login.expires_at > now() AND NOT person.suspended;

-- name: SeeLogin :exec
UPDATE login SET seen_at = now() WHERE id = $1;

-- name: RenewLogin :one
-- The old secret opens nothing any more; the login goes on.
UPDATE login SET token = sqlc.arg(fresh), proven_at = now()
 WHERE id = sqlc.arg(id) AND expires_at > now()
RETURNING expires_at;

-- name: EndLogin :one
DELETE FROM login WHERE token = $1 RETURNING id;

-- name: EndLoginNamed :exec
DELETE FROM login WHERE id = $1;

-- name: LoginsOf :many
SELECT id, browser, began_at, seen_at FROM login WHERE person_id = $1 AND expires_at > now() ORDER BY seen_at DESC, began_at DESC LIMIT $2;

-- name: EndLoginOf :execrows
-- Nobody ends a colleague's.
DELETE FROM login WHERE id = sqlc.arg(id) AND person_id = sqlc.arg(person);

-- name: EndOtherLoginsOf :execrows
DELETE FROM login WHERE person_id = sqlc.arg(person) AND id <> sqlc.arg(this);
