-- What the privacy officer looks for in the log of acts.

-- name: SearchAudit :many
-- Entries, the newest first. What is empty is not asked for; how far notes have come, which no person did, only by name. seq is -1 for what has no place yet.
SELECT coalesce(audit_order.seq, -1)::bigint AS seq, audit_event.n, audit_event.at, audit_event.act, audit_event.outcome, audit_event.code, audit_event.patient_id,
       audit_event.note_id, audit_event.id, audit_event.who AS who_id, audit_event.about AS about_id, audit_event.commitment, coalesce(person.name, '')::text AS who, coalesce(person.role, '')::text AS role, coalesce(them.name, '')::text AS about
  FROM audit_event
  LEFT JOIN audit_order ON audit_order.n = audit_event.n
  LEFT JOIN person ON person.id = audit_event.who
  LEFT JOIN person them ON them.id = audit_event.about AND them.id IS DISTINCT FROM audit_event.who
 WHERE (sqlc.narg(person)::uuid IS NULL OR audit_event.who = sqlc.narg(person))
   AND (sqlc.narg(patient)::uuid IS NULL OR audit_event.patient_id = sqlc.narg(patient))
   AND (sqlc.arg(act)::text = '' AND audit_event.act <> 'note.anchor' OR audit_event.act = sqlc.arg(act))
   AND (NOT sqlc.arg(in_vain)::boolean OR audit_event.outcome <> 'done')
   AND audit_event.at >= sqlc.arg(since)::timestamptz AND audit_event.at < sqlc.arg(until)::timestamptz
 ORDER BY audit_event.n DESC
 LIMIT sqlc.arg(max_rows);
