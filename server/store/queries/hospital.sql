-- Units, beds and patients, for the worklist and the board.

-- name: Facility :one
SELECT * FROM facility ORDER BY id LIMIT 1;

-- name: Units :many
SELECT * FROM unit ORDER BY name;

-- name: UnitByID :one
SELECT * FROM unit WHERE id = $1;

-- name: BedsFor :many
-- Every bed of a unit in walking order, empty ones too, and what a person has to do with who lies there. unit '' means
-- every unit.
SELECT bed.id AS bed_id, bed.label AS bed_label, bed.unit_id,
       stay.patient_id, stay.admitted_at,
       patient.sealed, coalesce(patient.vip, false) AS vip,
       coalesce(tied.ties, '{}')::text[] AS ties
  FROM bed
  LEFT JOIN stay ON stay.bed_id = bed.id
  LEFT JOIN patient ON patient.id = stay.patient_id
  LEFT JOIN (SELECT tie.patient_id, array_agg(tie.kind) AS ties FROM tie WHERE tie.person_id = sqlc.arg(person) GROUP BY tie.patient_id) tied
    ON tied.patient_id = stay.patient_id
 WHERE sqlc.arg(unit)::text = '' OR bed.unit_id = sqlc.arg(unit)
 ORDER BY bed.unit_id, bed.position;

-- name: InsertFacility :exec
INSERT INTO facility (id, name) VALUES ($1, $2);

-- name: InsertUnit :exec
INSERT INTO unit (id, facility_id, name) VALUES ($1, $2, $3);

-- name: InsertBed :exec
INSERT INTO bed (id, unit_id, label, position) VALUES ($1, $2, $3, $4);

-- name: InsertPerson :exec
INSERT INTO person (id, username, name, role, unit_id, color, password_hash, supervisor_id, patient_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: InsertPatient :exec
INSERT INTO patient (id, sealed, mrn_index, vip, retention) VALUES ($1, $2, $3, $4, $5);

-- name: UpdatePatient :execrows
UPDATE patient SET sealed = $2, mrn_index = $3 WHERE id = $1;

-- name: PatientByID :one
SELECT * FROM patient WHERE id = $1;

-- name: InsertStay :exec
INSERT INTO stay (patient_id, bed_id, admitted_at) VALUES ($1, $2, $3);

-- name: PutStay :exec
-- They lie in that bed from now on.
INSERT INTO stay (patient_id, bed_id, admitted_at) VALUES ($1, $2, now()) ON CONFLICT (patient_id) DO UPDATE SET bed_id = excluded.bed_id;

-- name: AddBeds :exec
-- More of them, behind those there are.
INSERT INTO bed (id, unit_id, label, position)
SELECT sqlc.arg(unit)::text || '-' || to_char(n, 'FM9900'), sqlc.arg(unit), sqlc.arg(prefix)::text || '-' || to_char(n, 'FM9900'), n
  FROM generate_series((SELECT coalesce(max(position), 0) + 1 FROM bed WHERE unit_id = sqlc.arg(unit)),
                       (SELECT coalesce(max(position), 0) + sqlc.arg(more)::integer FROM bed WHERE unit_id = sqlc.arg(unit))) AS n;

-- name: CountBeds :many
SELECT unit.id, unit.name, (SELECT count(*) FROM bed WHERE bed.unit_id = unit.id) AS beds,
       (SELECT count(*) FROM stay JOIN bed ON bed.id = stay.bed_id WHERE bed.unit_id = unit.id) AS patients
  FROM unit ORDER BY unit.id;

-- name: PatientByIndex :one
SELECT sqlc.embed(patient), coalesce(bed.id, '')::text AS bed_id, coalesce(bed.label, '')::text AS bed_label, coalesce(bed.unit_id, '')::text AS unit_id
  FROM patient
  LEFT JOIN stay ON stay.patient_id = patient.id
  LEFT JOIN bed ON bed.id = stay.bed_id
 WHERE patient.mrn_index = $1;

-- name: MovePatient :execrows
UPDATE stay SET bed_id = $2 WHERE patient_id = $1;

-- name: RestrictPatient :exec
UPDATE patient SET vip = $2 WHERE id = $1;

-- name: JoinTeam :exec
INSERT INTO care_team (patient_id, person_id) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- name: LeaveTeam :execrows
DELETE FROM care_team WHERE patient_id = $1 AND person_id = $2;

-- name: CareTeam :many
SELECT person.username, person.name, person.role FROM care_team JOIN person ON person.id = care_team.person_id
 WHERE care_team.patient_id = $1 ORDER BY person.username;
