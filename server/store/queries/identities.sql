-- Who somebody is elsewhere (OpenID Connect).

-- name: PersonByIdentity :one
SELECT sqlc.embed(person) FROM identity JOIN person ON person.id = identity.person_id
 WHERE issuer = $1 AND subject = $2 AND NOT person.suspended AND person.role <> 'service account';

-- name: InsertIdentity :exec
INSERT INTO identity (issuer, subject, person_id) VALUES ($1, $2, $3);

-- name: IsLinked :one
SELECT EXISTS (SELECT FROM identity WHERE person_id = $1 AND issuer = $2);

-- name: EndLoginsFrom :execrows
-- What is empty is not asked about.
DELETE FROM login WHERE issuer = sqlc.arg(issuer)::text
   AND (sqlc.arg(subject)::text = '' OR subject = sqlc.arg(subject)) AND (sqlc.arg(sid)::text = '' OR sid = sqlc.arg(sid));

-- name: TakeOnce :execrows
-- No row: it was taken before.
INSERT INTO ceremony (hash, kind, data, expires_at) VALUES (sqlc.arg(hash), 'taken', '', sqlc.arg(until)) ON CONFLICT DO NOTHING;
