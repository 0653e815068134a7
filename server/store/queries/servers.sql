-- Servers, the database below them, and what waits for those who administer.

-- name: TellServer :exec
INSERT INTO server_status (server, version, began_at, figures) VALUES ($1, sqlc.arg(version), sqlc.arg(began_at), sqlc.arg(figures))
    ON CONFLICT (server) DO UPDATE SET version = excluded.version, began_at = excluded.began_at, figures = excluded.figures, seen_at = now();

-- name: ForgetServer :exec
-- Also those that were not heard of for an hour.
DELETE FROM server_status WHERE server = $1 OR seen_at < now() - interval '1 hour';

-- name: ServerStatuses :many
-- Who began first comes first.
SELECT status.server, status.version, status.began_at, status.seen_at, status.figures, coalesce(holder.keys, '{}')::bytea[] AS keys,
       (status.seen_at > now() - make_interval(secs => sqlc.arg(seconds)::double precision))::boolean AS running
  FROM server_status status LEFT JOIN key_holder holder ON holder.server = status.server
 ORDER BY status.began_at, status.server LIMIT 100;

-- name: DatabaseStatus :one
SELECT current_setting('server_version')::text AS version, pg_database_size(current_database())::bigint AS bytes,
       (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE datname = current_database())::integer AS connections,
       current_setting('max_connections')::integer AS max_connections, pg_postmaster_start_time()::timestamptz AS began_at;

-- name: KeyUse :many
-- How many data keys are wrapped to each key, and how many of them have no copy for the recovery key.
SELECT kek, count(*) AS all_of_them, count(*) FILTER (WHERE recovery IS NULL) AS without_copy FROM data_key GROUP BY kek;

-- name: Waiting :one
-- What waits for those who administer, or review: sign-ins that failed within a day, people who failed so often in a row to prove again who they are, notes that nobody has signed for some seconds,
-- destructions to decide about and to carry out, people who were invited and have not come, and live sessions.
SELECT (SELECT count(*) FROM audit_event WHERE act = 'login.begin' AND outcome <> 'done' AND at > now() - interval '1 day') AS failed_sign_ins,
       (SELECT count(DISTINCT who) FROM (
          SELECT who FROM (SELECT who, outcome, count(*) FILTER (WHERE outcome = 'done') OVER (PARTITION BY who ORDER BY n) AS proven
                             FROM audit_event WHERE act = 'login.confirm' AND at > now() - interval '1 day') AS proof
           WHERE outcome <> 'done' GROUP BY who, proven HAVING count(*) >= sqlc.arg(in_a_row)::bigint) AS doubtful) AS failed_proofs,
       (SELECT count(*) FROM note WHERE state IN ('draft', 'review', 'signing') AND created_at < now() - make_interval(secs => sqlc.arg(unsigned_for)::double precision)) AS unsigned_notes,
       (SELECT count(*) FROM shredding WHERE approved_at IS NULL AND ended_at IS NULL AND done_at IS NULL AND until >= now()) AS to_approve,
       (SELECT count(*) FROM shredding WHERE approved_at IS NOT NULL AND ended_at IS NULL AND done_at IS NULL AND until >= now()) AS to_carry_out,
       (SELECT count(*) FROM session WHERE ended_at IS NULL) AS live_sessions,
       (SELECT count(*) FROM person WHERE NOT suspended) AS people,
       (SELECT count(*) FROM unit) AS units;

-- name: TourEnded :one
SELECT EXISTS (SELECT FROM tour_ended WHERE person_id = $1)::boolean;

-- name: EndTour :exec
INSERT INTO tour_ended (person_id) VALUES ($1) ON CONFLICT DO NOTHING;

-- name: BeginTour :exec
DELETE FROM tour_ended WHERE person_id = $1;
