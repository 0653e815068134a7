-- Broken glass, its reviews, and who has opened which record.

-- name: BreakGlass :one
INSERT INTO glass (id, person_id, patient_id, unit_id, reason, words, until)
SELECT sqlc.arg(id), sqlc.arg(person), patient.id, bed.unit_id, sqlc.arg(reason), sqlc.arg(words), now() + make_interval(secs => sqlc.arg(seconds)::double precision)
  FROM patient LEFT JOIN stay ON stay.patient_id = patient.id LEFT JOIN bed ON bed.id = stay.bed_id
 WHERE patient.id = sqlc.arg(patient)
RETURNING until;

-- name: PatientSought :one
-- A patient by number, or by where they lie, whoever asks. No row: nobody.
SELECT patient.id FROM patient LEFT JOIN stay ON stay.patient_id = patient.id LEFT JOIN bed ON bed.id = stay.bed_id
 WHERE upper(patient.mrn) = upper(sqlc.arg(number_or_bed)::text) OR upper(bed.label) = upper(sqlc.arg(number_or_bed)::text)
 ORDER BY upper(patient.mrn) = upper(sqlc.arg(number_or_bed)::text) DESC LIMIT 1;

-- name: GlassFor :many
-- Broken glass of the units where a person works, or with everyone of all: what waits for a review first, then the newest.
SELECT sqlc.embed(glass), sqlc.embed(person), patient.family, patient.given, patient.mrn, coalesce(unit.name, '')::text AS unit_name,
       EXISTS (SELECT FROM duty WHERE duty.person_id = sqlc.arg(person) AND duty.unit_id = glass.unit_id) AS works,
       review.at AS reviewed_at, coalesce(review.finding, '')::text AS finding, coalesce(review.words, '')::text AS review_words,
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
 WHERE sqlc.arg(everyone)::boolean OR EXISTS (SELECT FROM duty WHERE duty.person_id = sqlc.arg(person) AND duty.unit_id = glass.unit_id)
 ORDER BY review.at IS NOT NULL, glass.at DESC
 LIMIT sqlc.arg(max_rows);

-- name: GlassByID :one
SELECT glass.person_id, glass.patient_id,
       EXISTS (SELECT FROM duty WHERE duty.person_id = sqlc.arg(person) AND duty.unit_id = glass.unit_id) AS works
  FROM glass WHERE glass.id = sqlc.arg(id);

-- name: OpenReviews :one
-- How much broken glass waits for a review that a person may make: of units where they work, or with everyone of all, and
-- with a unit only of that one.
SELECT count(*) FROM glass
 WHERE NOT EXISTS (SELECT FROM glass_review WHERE glass_review.glass_id = glass.id)
   AND glass.person_id <> sqlc.arg(person)
   AND (sqlc.arg(unit)::text = '' OR glass.unit_id = sqlc.arg(unit))
   AND (sqlc.arg(everyone)::boolean OR EXISTS (SELECT FROM duty WHERE duty.person_id = sqlc.arg(person) AND duty.unit_id = glass.unit_id));

-- name: ReviewGlass :execrows
-- Once: who comes second changes nothing.
INSERT INTO glass_review (glass_id, by_id, finding, words) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING;

-- name: RecordOpening :exec
INSERT INTO opening (person_id, patient_id, note_id, how, ties) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING;

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
SELECT opening.id, opening.at, opening.how, opening.ties, opening.note_id, opening.patient_id, patient.mrn, opening.person_id, person.username, person.role
  FROM opening JOIN person ON person.id = opening.person_id JOIN patient ON patient.id = opening.patient_id
 WHERE (opening.at, opening.id) > (sqlc.arg(at)::timestamptz, sqlc.arg(id)::bigint) AND opening.at < sqlc.arg(until)::timestamptz
 ORDER BY opening.at, opening.id
 LIMIT sqlc.arg(max_rows);

-- name: Unusual :many
-- Who has opened whose record since a time, or tried to, as far as something about it is unusual; the most unusual first.
-- What is unusual weighs the more, the less there is a good reason for it. Of one person there are a few rows only: who
-- reads everything does not hide others. A day is any two halves of one that follow each other, for shifts end in the
-- morning; it is looked for only where somebody opened many records at all.
WITH pair AS (
    SELECT opening.person_id, opening.patient_id, max(opening.at) AS last_at, bool_or(opening.how = 'denied') AS refused,
           bool_or(opening.ties LIKE '%own%') AS own, bool_or(opening.ties NOT LIKE '%team%') AS strange,
           bool_or(opening.ties NOT LIKE '%unit%' AND opening.ties NOT LIKE '%team%' AND opening.ties NOT LIKE '%supervised%' AND opening.ties NOT LIKE '%author%') AS unrelated
      FROM opening
     WHERE opening.at > sqlc.arg(since)::timestamptz AND opening.how IN ('page', 'editor', 'api', 'denied', 'glass')
     GROUP BY opening.person_id, opening.patient_id
), keen AS (
    SELECT pair.person_id FROM pair GROUP BY pair.person_id HAVING count(*) > sqlc.arg(many)::bigint
), busiest AS (
    SELECT day.person_id, max(day.records)::bigint AS records
      FROM (SELECT keen.person_id, count(DISTINCT opening.patient_id) AS records
              FROM keen JOIN opening ON opening.person_id = keen.person_id CROSS JOIN generate_series(0, 1) AS before
             WHERE opening.at > sqlc.arg(since)::timestamptz AND opening.how IN ('page', 'editor', 'api', 'denied', 'glass')
             GROUP BY keen.person_id, floor(extract(epoch FROM opening.at) / 43200) - before) day
     GROUP BY day.person_id
), seen AS (
    SELECT person.id AS person_id, person.name, person.role, person.color, patient.id AS patient_id, patient.family, patient.given, patient.mrn,
           pair.last_at::timestamptz AS last_at, coalesce(busiest.records, 0)::bigint AS records, pair.refused::boolean AS refused,
           (person.patient_id IS NOT DISTINCT FROM patient.id OR pair.own)::boolean AS own,
           EXISTS (SELECT FROM unnest(regexp_split_to_array(lower(patient.family), '[\s-]+')) part -- a double name has two
                    WHERE part NOT IN ('al', 'bin', 'da', 'de', 'den', 'der', 'di', 'el', 'la', 'le', 'van', 'von')
                      AND part = ANY (regexp_split_to_array(lower(person.name), '[\s-]+'))) AS same_name,
           (person.role <> 'privacy officer' AND pair.unrelated)::boolean AS unrelated,
           (person.role <> 'privacy officer' AND patient.vip AND pair.strange)::boolean AS restricted
      FROM pair
      JOIN person ON person.id = pair.person_id
      JOIN patient ON patient.id = pair.patient_id
      LEFT JOIN busiest ON busiest.person_id = pair.person_id
), weighed AS (
    SELECT seen.*, (seen.records > sqlc.arg(many)::bigint)::boolean AS bulk,
           (CASE WHEN seen.own THEN 8 ELSE 0 END + CASE WHEN seen.same_name THEN 6 ELSE 0 END + CASE WHEN seen.unrelated THEN 4 ELSE 0 END
          + CASE WHEN seen.restricted THEN 3 ELSE 0 END + CASE WHEN seen.records > sqlc.arg(many)::bigint THEN 3 ELSE 0 END
          + CASE WHEN seen.refused THEN 1 ELSE 0 END)::integer AS weight
      FROM seen
     WHERE seen.own OR seen.same_name OR seen.unrelated OR seen.restricted OR seen.records > sqlc.arg(many)::bigint
), ranked AS (
    SELECT weighed.*, row_number() OVER (PARTITION BY weighed.person_id ORDER BY weighed.weight DESC, weighed.last_at DESC, weighed.patient_id) AS place FROM weighed
), first AS (
    SELECT ranked.* FROM ranked WHERE ranked.place <= sqlc.arg(of_one)::bigint
     ORDER BY ranked.weight DESC, ranked.last_at DESC, ranked.person_id, ranked.patient_id
     LIMIT sqlc.arg(max_rows)
)
SELECT first.*, (SELECT count(DISTINCT opening.note_id) FROM opening
                  WHERE opening.person_id = first.person_id AND opening.patient_id = first.patient_id AND opening.at > sqlc.arg(since)::timestamptz) AS notes
  FROM first
 ORDER BY first.weight DESC, first.last_at DESC, first.person_id, first.patient_id;
