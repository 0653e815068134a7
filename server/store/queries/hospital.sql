-- Units, beds and patients, for the worklist and the board.

-- name: Facility :one
SELECT * FROM facility ORDER BY id LIMIT 1;

-- name: Units :many
SELECT * FROM unit ORDER BY name;

-- name: UnitByID :one
SELECT * FROM unit WHERE id = $1;

-- name: Beds :many
-- Every bed of a unit in walking order, empty ones too.
SELECT bed.id AS bed_id, bed.label AS bed_label,
       stay.patient_id, stay.admitted_at,
       coalesce(patient.mrn, '') AS mrn, coalesce(patient.family, '') AS family, coalesce(patient.given, '') AS given,
       coalesce(patient.title, '') AS title, patient.birth_date, coalesce(patient.gender, '') AS gender,
       coalesce(patient.allergies, '') AS allergies
  FROM bed
  LEFT JOIN stay ON stay.bed_id = bed.id
  LEFT JOIN patient ON patient.id = stay.patient_id
 WHERE bed.unit_id = $1
 ORDER BY bed.position;

-- name: PatientByID :one
SELECT patient.*, coalesce(bed.id, '')::text AS bed_id, coalesce(bed.label, '')::text AS bed_label, coalesce(bed.unit_id, '')::text AS unit_id
  FROM patient
  LEFT JOIN stay ON stay.patient_id = patient.id
  LEFT JOIN bed ON bed.id = stay.bed_id
 WHERE patient.id = $1;

-- name: InsertFacility :exec
INSERT INTO facility (id, name) VALUES ($1, $2);

-- name: InsertUnit :exec
INSERT INTO unit (id, facility_id, name) VALUES ($1, $2, $3);

-- name: InsertBed :exec
INSERT INTO bed (id, unit_id, label, position) VALUES ($1, $2, $3, $4);

-- name: InsertPerson :exec
INSERT INTO person (id, username, name, role, unit_id, color, password_hash) VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: InsertPatient :exec
INSERT INTO patient (id, mrn, family, given, title, birth_date, gender, allergies) VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: InsertStay :exec
INSERT INTO stay (patient_id, bed_id, admitted_at) VALUES ($1, $2, $3);
