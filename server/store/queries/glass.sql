-- Broken glass, its reviews, and who has opened which record.

-- name: BreakGlass :one
INSERT INTO glass (id, person_id, patient_id, unit_id, reason, words, until, works_in, supervisor_id)
SELECT sqlc.arg(id), person.id, patient.id, bed.unit_id, sqlc.arg(reason), sqlc.arg(words), now() + make_interval(secs => sqlc.arg(seconds)::double precision),
       ARRAY(SELECT duty.unit_id FROM duty WHERE duty.person_id = person.id), person.supervisor_id
  FROM person, patient LEFT JOIN stay ON stay.patient_id = patient.id LEFT JOIN bed ON bed.id = stay.bed_id
 WHERE person.id = sqlc.arg(person) AND patient.id = sqlc.arg(patient)
RETURNING until;

-- name: PatientAtIndexOrBed :one
-- A patient by number, or by where they lie, whoever asks. No row: nobody.
SELECT sqlc.embed(patient), coalesce(patient.mrn_index = sqlc.arg(index)::bytea, false)::boolean AS by_number FROM patient LEFT JOIN stay ON stay.patient_id = patient.id LEFT JOIN bed ON bed.id = stay.bed_id
 WHERE patient.mrn_index = sqlc.arg(index)::bytea OR upper(bed.label) = upper(sqlc.arg(bed)::text)
 ORDER BY patient.mrn_index = sqlc.arg(index)::bytea DESC LIMIT 1;

-- name: GlassFor :many
-- Broken glass that a person has something to do with, or with everyone all: what waits for a review first, then the newest.
SELECT sqlc.embed(glass), sqlc.embed(person), sqlc.embed(patient), coalesce(unit.name, '')::text AS unit_name,
       ARRAY(SELECT glass_tie.kind FROM glass_tie WHERE glass_tie.glass_id = glass.id AND glass_tie.person_id = sqlc.arg(person))::text[] AS ties,
       ARRAY(SELECT tie.kind FROM tie WHERE tie.patient_id = glass.patient_id AND tie.person_id = sqlc.arg(person))::text[] AS patient_ties,
       review.at AS reviewed_at, coalesce(review.finding, '')::text AS finding, review.words AS review_words,
       coalesce(reviewer.name, '')::text AS reviewer,
       (SELECT count(DISTINCT opening.note_id) FROM opening
         WHERE opening.patient_id = glass.patient_id AND opening.person_id = glass.person_id
           AND opening.how <> 'denied' AND opening.at BETWEEN glass.at AND glass.until) AS opened
  FROM glass
  JOIN person ON person.id = glass.person_id
  JOIN patient ON patient.id = glass.patient_id
  LEFT JOIN unit ON unit.id = glass.unit_id
  LEFT JOIN glass_review review ON review.glass_id = glass.id
  LEFT JOIN person reviewer ON reviewer.id = review.by_id
 WHERE sqlc.arg(everyone)::boolean
    OR EXISTS (SELECT FROM glass_tie WHERE glass_tie.glass_id = glass.id AND glass_tie.person_id = sqlc.arg(person))
 ORDER BY review.at IS NOT NULL, glass.at DESC
 LIMIT sqlc.arg(max_rows);

-- name: GlassByID :one
SELECT glass.person_id, glass.patient_id,
       ARRAY(SELECT glass_tie.kind FROM glass_tie WHERE glass_tie.glass_id = glass.id AND glass_tie.person_id = sqlc.arg(person))::text[] AS ties
  FROM glass WHERE glass.id = sqlc.arg(id);

-- name: GlassWaiting :many
-- Broken glass of others that waits for a review, as far as a person has something to do with it, or with everyone all, the
-- newest first; and whether they have looked at it.
SELECT glass.id, glass.at, person.name, person.role,
       ARRAY(SELECT glass_tie.kind FROM glass_tie WHERE glass_tie.glass_id = glass.id AND glass_tie.person_id = sqlc.arg(person))::text[] AS ties,
       EXISTS (SELECT FROM glass_look WHERE glass_look.glass_id = glass.id AND glass_look.person_id = sqlc.arg(person)) AS looked
  FROM glass JOIN person ON person.id = glass.person_id
 WHERE NOT EXISTS (SELECT FROM glass_review WHERE glass_review.glass_id = glass.id)
   AND NOT EXISTS (SELECT FROM patient WHERE patient.id = glass.patient_id AND patient.destroyed_at IS NOT NULL) -- nobody can say any more what they found
   AND glass.person_id <> sqlc.arg(person)
   AND (sqlc.arg(everyone)::boolean
    OR EXISTS (SELECT FROM glass_tie WHERE glass_tie.glass_id = glass.id AND glass_tie.person_id = sqlc.arg(person)))
 ORDER BY glass.at DESC
 LIMIT sqlc.arg(max_rows);

-- name: LookAtGlass :exec
-- The first look counts.
INSERT INTO glass_look (glass_id, person_id) SELECT unnest(sqlc.arg(glasses)::uuid[]), sqlc.arg(person) ON CONFLICT DO NOTHING;

-- name: RolesUnder :many
-- Of those who work under a person now, or did when they broke glass that nobody has reviewed.
SELECT DISTINCT person.role FROM person
 WHERE NOT person.suspended AND person.supervisor_id = sqlc.arg(person)
    OR EXISTS (SELECT FROM glass WHERE glass.supervisor_id = sqlc.arg(person) AND glass.person_id = person.id
                  AND NOT EXISTS (SELECT FROM glass_review WHERE glass_review.glass_id = glass.id));

-- name: ReviewGlass :execrows
-- Once: who comes second changes nothing.
INSERT INTO glass_review (glass_id, by_id, finding, words) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING;

-- name: RecordOpening :exec
-- What is done again within a minute is one row here, and one entry each time in the log of acts, which this belongs to.
WITH listed AS (
    INSERT INTO opening (person_id, patient_id, note_id, how, ties)
    VALUES (sqlc.arg(person)::uuid, sqlc.arg(patient)::uuid, sqlc.narg(note)::uuid, sqlc.arg(how), sqlc.arg(ties)) ON CONFLICT DO NOTHING
)
INSERT INTO audit_event (act, outcome, who, patient_id, note_id, about, code, commitment, details)
VALUES (sqlc.arg(act), sqlc.arg(outcome), sqlc.arg(person)::uuid, sqlc.arg(patient)::uuid, sqlc.narg(note)::uuid, sqlc.narg(about)::uuid, sqlc.arg(code),
        sqlc.arg(commitment), sqlc.arg(details));

-- name: Openings :many
-- Who has opened a patient's record, the newest first.
SELECT sqlc.embed(opening), person.name, person.username, person.role, coalesce(note.title, '')::text AS title
  FROM opening JOIN person ON person.id = opening.person_id LEFT JOIN note ON note.id = opening.note_id
 WHERE opening.patient_id = sqlc.arg(patient)
 ORDER BY opening.at DESC
 LIMIT sqlc.arg(max_rows);

-- name: Follow :many
-- Who has opened any record after a place in the record of accesses, the oldest first. What is younger than that is left
-- out: of two that are written at one time, the older may be seen later.
SELECT opening.id, opening.at, opening.how, opening.ties, opening.note_id, sqlc.embed(patient), opening.person_id, person.username, person.role
  FROM opening JOIN person ON person.id = opening.person_id JOIN patient ON patient.id = opening.patient_id
 WHERE (opening.at, opening.id) > (sqlc.arg(at)::timestamptz, sqlc.arg(id)::bigint) AND opening.at < sqlc.arg(until)::timestamptz
 ORDER BY opening.at, opening.id
 LIMIT sqlc.arg(max_rows);

-- name: ReadersSince :many
-- Who has opened any record since a time.
SELECT id, name FROM person WHERE EXISTS (SELECT FROM opening WHERE opening.person_id = person.id AND opening.at > sqlc.arg(since)::timestamptz);

-- name: ReadSince :many
-- Patients whose record somebody has opened since a time.
SELECT * FROM patient WHERE EXISTS (SELECT FROM opening WHERE opening.patient_id = patient.id AND opening.at > sqlc.arg(since)::timestamptz);

-- name: Unusual :many
-- Names are sealed: whoever asks says which readers (namesakes) bear the name of which patients (named).
-- Who has opened whose record since a time, or tried to, as far as something about it is unusual; the most unusual first.
-- What is unusual weighs the more, the less there is a good reason for it. Of one person there are a few rows only: who
-- reads everything does not hide others. A day is any two halves of one that follow each other, for shifts end in the
-- morning. There may be hundreds of thousands of accesses: they are looked at person by person, whose are a few thousand.
WITH reader AS MATERIALIZED (
    SELECT person.id, person.name, person.role, person.color, person.patient_id
      FROM person
     WHERE EXISTS (SELECT FROM opening WHERE opening.person_id = person.id AND opening.at > sqlc.arg(since)::timestamptz)
)
SELECT reader.id AS person_id, reader.name, reader.role, reader.color, sqlc.embed(patient),
       pair.last_at::timestamptz AS last_at, busiest.records::bigint AS records, pair.refused::boolean AS refused, pair.own::boolean AS own,
       pair.same_name::boolean AS same_name, pair.unrelated::boolean AS unrelated, pair.restricted::boolean AS restricted,
       pair.bulk::boolean AS bulk, pair.weight::integer AS weight,
       (SELECT count(DISTINCT opening.note_id) FROM opening
         WHERE opening.person_id = reader.id AND opening.patient_id = patient.id AND opening.at > sqlc.arg(since)::timestamptz) AS notes
  FROM reader
 CROSS JOIN LATERAL (
    SELECT coalesce(max(day.records), 0) AS records
      FROM (SELECT count(DISTINCT opening.patient_id) AS records FROM opening CROSS JOIN generate_series(0, 1) AS before
             WHERE opening.person_id = reader.id AND opening.at > sqlc.arg(since)::timestamptz
               AND opening.how IN ('page', 'editor', 'api', 'denied', 'glass')
             GROUP BY date_bin('12 hours', opening.at, 'epoch') - before * interval '12 hours') day
 ) busiest
 CROSS JOIN LATERAL (
    SELECT seen.patient_id, seen.last_at, seen.refused, seen.own, seen.same_name, seen.unrelated, seen.restricted, seen.bulk,
           CASE WHEN seen.own THEN 8 ELSE 0 END + CASE WHEN seen.same_name THEN 6 ELSE 0 END + CASE WHEN seen.unrelated THEN 4 ELSE 0 END
         + CASE WHEN seen.restricted THEN 3 ELSE 0 END + CASE WHEN seen.bulk THEN 3 ELSE 0 END + CASE WHEN seen.refused THEN 1 ELSE 0 END AS weight
      FROM (SELECT whose.patient_id, whose.last_at, whose.refused, busiest.records > sqlc.arg(many)::bigint AS bulk,
                   reader.patient_id IS NOT DISTINCT FROM whose.patient_id OR whose.own AS own,
                   (reader.id, whose.patient_id) IN (SELECT unnest(sqlc.arg(namesakes)::uuid[]), unnest(sqlc.arg(named)::uuid[])) AS same_name,
                   reader.role <> 'privacy officer' AND whose.unrelated AS unrelated,
                   reader.role <> 'privacy officer' AND patient.vip AND whose.strange AS restricted
              FROM (SELECT opening.patient_id, max(opening.at) AS last_at, bool_or(opening.how = 'denied') AS refused,
                           bool_or(opening.ties LIKE '%own%') AS own, bool_or(opening.ties NOT LIKE '%team%') AS strange,
                           bool_or(opening.ties NOT LIKE '%unit%' AND opening.ties NOT LIKE '%team%' AND opening.ties NOT LIKE '%supervised%'
                               AND opening.ties NOT LIKE '%author%') AS unrelated
                      FROM opening
                     WHERE opening.person_id = reader.id AND opening.at > sqlc.arg(since)::timestamptz
                       AND opening.how IN ('page', 'editor', 'api', 'denied', 'glass')
                     GROUP BY opening.patient_id) whose
              JOIN patient ON patient.id = whose.patient_id
            OFFSET 0) seen -- all that is computed once
     WHERE seen.own OR seen.same_name OR seen.unrelated OR seen.restricted OR seen.bulk
     ORDER BY weight DESC, seen.last_at DESC, seen.patient_id
     LIMIT sqlc.arg(of_one)
 ) pair
  JOIN patient ON patient.id = pair.patient_id
 ORDER BY pair.weight DESC, pair.last_at DESC, reader.id, pair.patient_id
 LIMIT sqlc.arg(max_rows);
