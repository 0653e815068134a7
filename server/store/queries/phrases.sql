-- Phrases, of people and of units.

-- name: LockPhrases :exec
-- Whoever changes phrases of this person or unit at this moment comes after.
SELECT pg_advisory_xact_lock(hashtextextended('phrases of ' || sqlc.arg(owner)::text, 0));

-- name: PhrasesFor :many
-- A person's own, then those of the units where they work now; by name.
SELECT sqlc.embed(phrase), coalesce(unit.name, '')::text AS unit_name, author.name AS by_name
  FROM phrase JOIN person author ON author.id = phrase.by_id LEFT JOIN unit ON unit.id = phrase.unit_id
 WHERE phrase.person_id = sqlc.arg(person)
    OR phrase.unit_id IN (SELECT duty.unit_id FROM duty WHERE duty.person_id = sqlc.arg(person))
 ORDER BY phrase.unit_id IS NOT NULL, unit.name, phrase.name;

-- name: PhraseFor :one
-- No row: there is none, or it is somebody else's, or of a unit where they do not work.
SELECT sqlc.embed(phrase), coalesce(unit.name, '')::text AS unit_name, author.name AS by_name
  FROM phrase JOIN person author ON author.id = phrase.by_id LEFT JOIN unit ON unit.id = phrase.unit_id
 WHERE phrase.id = sqlc.arg(id)
   AND (phrase.person_id = sqlc.arg(person)
        OR phrase.unit_id IN (SELECT duty.unit_id FROM duty WHERE duty.person_id = sqlc.arg(person)));

-- name: PhraseNames :many
-- Of one person, or of one unit.
SELECT id, name FROM phrase
 WHERE person_id = sqlc.narg(person)::uuid OR unit_id = sqlc.narg(unit)::text;

-- name: PutPhrase :exec
INSERT INTO phrase (id, person_id, unit_id, name, text, by_id)
VALUES (sqlc.arg(id), sqlc.narg(person), sqlc.narg(unit), sqlc.arg(name), sqlc.arg(text), sqlc.arg(by_id))
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, text = excluded.text, by_id = excluded.by_id, at = now();

-- name: DeletePhrase :execrows
DELETE FROM phrase WHERE id = $1;
