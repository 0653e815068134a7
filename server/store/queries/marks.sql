-- What the log of acts says of records that are written over.

-- name: Marks :many
-- The newest that it says of patients, or of what entries are about, by an act. What is not among them has nothing on record.
SELECT whose.id::uuid AS whose, mark.rev, mark.code
  FROM unnest(sqlc.arg(ids)::uuid[]) AS whose (id)
 CROSS JOIN LATERAL (
       SELECT coalesce(substring(event.code FROM 'rev=([0-9]{1,18}) mark=')::bigint, 0)::bigint AS rev, event.code
         FROM audit_event event
        WHERE coalesce(event.about, event.patient_id) = whose.id AND event.act = sqlc.arg(act) AND event.code LIKE '%rev=% mark=%'
        ORDER BY substring(event.code FROM 'rev=([0-9]{1,18}) mark=')::bigint DESC NULLS LAST
        LIMIT 1) AS mark;

-- name: PatientsAfter :many
-- Patients behind one of them whose records were not destroyed.
SELECT * FROM patient WHERE id > sqlc.arg(after) AND destroyed_at IS NULL ORDER BY id LIMIT sqlc.arg(max_rows);

-- name: MarksMade :one
SELECT marks FROM sealing;

-- name: SetMarksMade :exec
UPDATE sealing SET marks = true;
