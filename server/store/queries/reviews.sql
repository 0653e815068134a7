-- Sessions, for who reviews them.

-- name: FindSessions :many
-- What is empty is not asked for. Of a time it finds what went on in it, whenever it began; what is live still goes on. The list goes on behind a session by the order asked for: 'newest', 'oldest', or 'words', most of them first.
-- It is planned for what is asked each time.
SELECT session.id, session.note_id, session.started_at, session.ended_at, session.words, session.counted, note.kind, note.patient_id,
       unit.name AS unit_name, sqlc.embed(patient), session.bed AS bed_label
  FROM session
  JOIN note ON note.id = session.note_id
  JOIN unit ON unit.id = note.unit_id
  JOIN patient ON patient.id = note.patient_id
 WHERE (sqlc.narg(one)::uuid IS NULL OR session.id = sqlc.narg(one))
   AND (sqlc.arg(state)::text <> 'live' OR session.ended_at IS NULL)
   AND (sqlc.arg(state)::text <> 'ended' OR session.ended_at IS NOT NULL)
   AND (sqlc.narg(patient)::uuid IS NULL OR note.patient_id = sqlc.narg(patient))
   AND (sqlc.arg(unit)::text = '' OR note.unit_id = sqlc.arg(unit))
   AND (sqlc.narg(person)::uuid IS NULL
        OR EXISTS (SELECT FROM participation WHERE participation.session_id = session.id AND participation.person_id = sqlc.narg(person)))
   AND (sqlc.narg(until)::timestamptz IS NULL OR session.started_at < sqlc.narg(until))
   AND (sqlc.narg(since)::timestamptz IS NULL OR greatest(session.started_at, coalesce(session.ended_at, 'infinity')) >= sqlc.narg(since))
   AND (sqlc.narg(since)::timestamptz IS NULL OR session.started_at >= coalesce(( -- none began before those that went on at that moment, which are few
        SELECT min(early.started_at + interval '0') FROM session AS early
         WHERE tstzrange(early.started_at, greatest(early.started_at, coalesce(early.ended_at, 'infinity')), '[]') @> sqlc.narg(since)::timestamptz), sqlc.narg(since)))
   AND (sqlc.narg(after)::uuid IS NULL OR CASE sqlc.arg(sort)::text
        WHEN 'newest' THEN (session.started_at, session.id) < (sqlc.narg(after_at)::timestamptz, sqlc.narg(after)::uuid)
        WHEN 'oldest' THEN (session.started_at, session.id) > (sqlc.narg(after_at)::timestamptz, sqlc.narg(after)::uuid)
        ELSE (session.words, session.id) < (sqlc.narg(after_words)::bigint, sqlc.narg(after)::uuid) END)
 ORDER BY CASE sqlc.arg(sort)::text WHEN 'newest' THEN session.started_at END DESC,
          CASE sqlc.arg(sort)::text WHEN 'oldest' THEN session.started_at END,
          CASE sqlc.arg(sort)::text WHEN 'words' THEN session.words END DESC,
          CASE sqlc.arg(sort)::text WHEN 'oldest' THEN session.id END,
          CASE sqlc.arg(sort)::text WHEN 'oldest' THEN NULL ELSE session.id END DESC
 LIMIT sqlc.arg(max_rows) OFFSET sqlc.arg(skip);

-- name: Participants :many
-- One row per person of each session: first arrival, last leave, whether still there, and from where.
SELECT participation.session_id, sqlc.embed(person),
       min(joined_at)::timestamptz AS joined_at,
       coalesce(max(left_at), min(joined_at))::timestamptz AS left_at,
       bool_or(left_at IS NULL)::boolean AS present,
       coalesce(array_agg(DISTINCT device) FILTER (WHERE device <> ''), '{}')::text[] AS devices
  FROM participation
  JOIN person ON person.id = participation.person_id
 WHERE participation.session_id = ANY (sqlc.arg(sessions)::uuid[])
 GROUP BY participation.session_id, person.id
 ORDER BY min(joined_at), person.id;

-- name: ParticipationsOf :many
-- The newest of a session's comings and goings.
SELECT * FROM participation WHERE session_id = $1 ORDER BY joined_at DESC, id LIMIT $2;

-- name: CountRefusals :many
-- What was refused in sessions: updates that no editor makes, and acts on the note meanwhile.
SELECT session.id AS session_id, count(*) AS refusals
  FROM session JOIN audit_event ON audit_event.note_id = session.note_id AND audit_event.outcome = 'refused' AND audit_event.at >= session.started_at
                               AND audit_event.at <= coalesce(session.ended_at, 'infinity') + interval '5 seconds'
 WHERE session.id = ANY (sqlc.arg(sessions)::uuid[])
 GROUP BY session.id;

-- name: RefusalsOf :many
-- A socket's last forgeries are put on record when it has left.
SELECT audit_event.at, audit_event.act, audit_event.code, audit_event.who, coalesce(person.name, '')::text AS name, coalesce(person.role, '')::text AS role
  FROM session JOIN audit_event ON audit_event.note_id = session.note_id AND audit_event.outcome = 'refused' AND audit_event.at >= session.started_at
                               AND audit_event.at <= coalesce(session.ended_at, 'infinity') + interval '5 seconds'
  LEFT JOIN person ON person.id = audit_event.who
 WHERE session.id = $1
 ORDER BY audit_event.at LIMIT $2;

-- name: CountLosses :many
SELECT session.id AS session_id, count(*) AS losses
  FROM session JOIN note_loss ON note_loss.note_id = session.note_id AND note_loss.at >= session.started_at AND note_loss.at <= coalesce(session.ended_at, 'infinity')
 WHERE session.id = ANY (sqlc.arg(sessions)::uuid[])
 GROUP BY session.id;

-- name: LossesOf :many
SELECT note_loss.seq, note_loss.at, note_loss.replaced, (SELECT sum(n) FROM unnest(note_loss.lengths) AS n)::bigint AS units,
       author.name AS author, remover.name AS remover, coalesce(settled.how, '')::text AS how
  FROM session JOIN note_loss ON note_loss.note_id = session.note_id AND note_loss.at >= session.started_at AND note_loss.at <= coalesce(session.ended_at, 'infinity')
  JOIN person author ON author.id = note_loss.author_id
  JOIN person remover ON remover.id = note_loss.by_id
  LEFT JOIN note_loss_settled settled ON settled.note_id = note_loss.note_id AND settled.seq = note_loss.seq AND settled.part = note_loss.part
 WHERE session.id = $1
 ORDER BY note_loss.seq, note_loss.part LIMIT $2;
