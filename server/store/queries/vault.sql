-- Keys of package vault: names of key-encryption keys, and wrapped data keys.

-- name: AdoptKEK :execrows
-- If the database has none. Who is second waits for the first.
INSERT INTO kek (id, number) SELECT sqlc.arg(id)::bytea, 1 WHERE NOT EXISTS (SELECT FROM kek) ON CONFLICT DO NOTHING;

-- name: KEKs :many
-- The newest first.
SELECT * FROM kek ORDER BY number DESC;

-- name: AddKEK :exec
INSERT INTO kek (id, number) SELECT sqlc.arg(id)::bytea, max(number) + 1 FROM kek;

-- name: RetireKEK :execrows
-- What is wrapped to it keeps it there: the database refuses.
WITH gone AS (DELETE FROM kek WHERE kek.id = $1 RETURNING *)
INSERT INTO retired_kek (id, number, adopted_at) SELECT gone.id, gone.number, gone.adopted_at FROM gone;

-- name: RetiredKEKs :many
SELECT * FROM retired_kek ORDER BY number;

-- name: HoldKeys :exec
INSERT INTO key_holder (server, keys, forgot) VALUES ($1, $2, $3) ON CONFLICT (server) DO UPDATE SET keys = excluded.keys, forgot = excluded.forgot, seen_at = now();

-- name: LetGoOfKeys :exec
-- Also of who was not seen for an hour.
DELETE FROM key_holder WHERE server = $1 OR seen_at < now() - interval '1 hour';

-- name: CountHolders :one
-- Servers that were seen within some seconds, and those of them that do not have a key.
SELECT count(*) AS all_of_them, count(*) FILTER (WHERE sqlc.arg(kek)::bytea <> ALL (keys)) AS without
  FROM key_holder WHERE seen_at > now() - make_interval(secs => sqlc.arg(seconds)::double precision);

-- name: CountRemembering :one
-- Servers that were seen within some seconds, and those of them that may not have heard yet what was destroyed up to a version.
SELECT count(*) AS all_of_them, count(*) FILTER (WHERE forgot < sqlc.arg(version)::bigint) AS remembering
  FROM key_holder WHERE seen_at > now() - make_interval(secs => sqlc.arg(seconds)::double precision);

-- name: DataKey :one
SELECT * FROM data_key WHERE scope = $1 AND owner = $2 AND epoch = $3;

-- name: DataKeysOf :many
SELECT * FROM data_key WHERE scope = $1 AND owner = $2 ORDER BY epoch;

-- name: DataKeysOfMany :many
SELECT * FROM data_key WHERE scope = $1 AND owner = ANY(sqlc.arg(owners)::uuid[]) ORDER BY owner, epoch;

-- name: NextEpoch :one
SELECT (coalesce(max(epoch), 0) + 1)::integer FROM data_key WHERE scope = $1 AND owner = $2;

-- name: InsertDataKey :execrows
-- No row: another server was faster, or what it is for was destroyed.
INSERT INTO data_key (scope, owner, epoch, from_seq, kek, wrapped, commitment, tag, recovery, recovery_wrapped, recovery_tag)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING;

-- name: KeepDataKeys :exec
-- What others sealed is gone for good.
DELETE FROM data_key WHERE scope = $1 AND owner = $2 AND epoch <> ALL(sqlc.arg(epochs)::integer[]);

-- name: DataKeysAfter :many
SELECT * FROM data_key WHERE (scope, owner, epoch) > (sqlc.arg(after_scope)::smallint, sqlc.arg(after_owner)::uuid, sqlc.arg(after_epoch)::integer)
 ORDER BY scope, owner, epoch LIMIT sqlc.arg(max_rows);

-- name: DataKeysToRewrap :many
-- Those that are not wrapped to the newest key, or not to the recovery key, if there is one.
SELECT * FROM data_key WHERE (scope, owner, epoch) > (sqlc.arg(after_scope)::smallint, sqlc.arg(after_owner)::uuid, sqlc.arg(after_epoch)::integer)
   AND (kek <> sqlc.arg(newest) OR sqlc.narg(recovery)::bytea IS NOT NULL AND recovery IS DISTINCT FROM sqlc.narg(recovery))
 ORDER BY scope, owner, epoch LIMIT sqlc.arg(max_rows);

-- name: CountToRewrap :one
SELECT count(*) AS all_of_them,
       count(*) FILTER (WHERE kek <> sqlc.arg(newest) OR sqlc.narg(recovery)::bytea IS NOT NULL AND recovery IS DISTINCT FROM sqlc.narg(recovery)) AS old
  FROM data_key;

-- name: CountDataKeys :many
SELECT kek, count(*) FROM data_key GROUP BY kek;

-- name: FreshSince :one
SELECT fresh_since FROM sealing;

-- name: RenewDataKeys :exec
UPDATE sealing SET fresh_since = now();

-- name: RewrapDataKey :batchexec
-- Unless it was wrapped anew, or deleted, meanwhile. A recovery key that this one does not have any more stays. The commit is not awaited: a
-- crash leaves some data keys as they were, to be wrapped again, and a key is retired by a commit that is, after these.
WITH lazily AS (SELECT set_config('synchronous_commit', 'off', true))
UPDATE data_key SET kek = $1, wrapped = $2, tag = $3, recovery = coalesce(sqlc.narg(recovery), recovery),
       recovery_wrapped = coalesce(sqlc.narg(recovery_wrapped), recovery_wrapped), recovery_tag = coalesce(sqlc.narg(recovery_tag), recovery_tag)
  FROM lazily
 WHERE scope = $4 AND owner = $5 AND epoch = $6 AND tag = sqlc.arg(old_tag);

-- name: CountUnsealedTOTPs :one
-- In the clear they have 20 bytes, sealed 53.
SELECT count(*) FROM totp WHERE octet_length(secret) <= 20 OR octet_length(pending) <= 20;

-- name: LockTOTPs :exec
LOCK TABLE totp IN ACCESS EXCLUSIVE MODE;

-- name: AllTOTPs :many
SELECT * FROM totp;

-- name: EmptyTOTPs :exec
-- The file of the table goes with the transaction; deleted or changed rows would stay in it.
TRUNCATE totp;

-- name: InsertTOTP :exec
INSERT INTO totp (person_id, secret, step, pending, pending_at) VALUES ($1, $2, $3, $4, $5);

-- name: NoteHead :one
SELECT head, chain, links_from, state = 'destroyed' AS destroyed FROM note WHERE id = $1;

-- name: NoteHeads :many
SELECT id, head, chain FROM note WHERE id = ANY(sqlc.arg(notes)::uuid[]);

-- name: NotesSealed :one
SELECT notes FROM sealing;

-- name: SetNotesSealed :exec
UPDATE sealing SET notes = true;

-- name: NotesInTheClear :many
SELECT id FROM note WHERE state <> 'destroyed' AND NOT EXISTS (SELECT FROM data_key WHERE scope = 2 AND owner = note.id);

-- name: HasNotes :one
SELECT EXISTS (SELECT FROM note);

-- name: LockNote :one
SELECT head FROM note WHERE id = $1 FOR UPDATE;

-- name: UpdatesInTheClear :many
SELECT * FROM note_update WHERE note_id = $1 AND seq > sqlc.arg(after) ORDER BY seq LIMIT sqlc.arg(max_rows);

-- name: SealUpdate :batchexec
UPDATE note_update SET data = $3 WHERE note_id = $1 AND seq = $2;

-- name: BurstsInTheClear :many
SELECT * FROM note_burst WHERE note_id = $1 ORDER BY first_seq;

-- name: SealBurst :exec
UPDATE note_burst SET data = $3 WHERE note_id = $1 AND first_seq = $2;

-- name: BasesInTheClear :many
SELECT * FROM note_base WHERE note_id = $1;

-- name: SealBase :exec
UPDATE note_base SET data = $3, sum = sha256($3) WHERE note_id = $1 AND seq = $2;

-- name: PatientsSealed :one
SELECT patients FROM sealing;

-- name: SetPatientsSealed :exec
UPDATE sealing SET patients = true;

-- name: PatientsInTheClear :many
-- And those about whom words are.
SELECT id FROM patient_in_clear UNION SELECT glass.patient_id FROM words_in_clear JOIN glass ON glass.id = words_in_clear.glass_id;

-- name: HasPatients :one
SELECT EXISTS (SELECT FROM patient);

-- name: LockPatient :one
SELECT * FROM patient WHERE id = $1 FOR UPDATE;

-- name: PatientInTheClear :one
SELECT * FROM patient_in_clear WHERE id = $1;

-- name: WordsInTheClear :many
SELECT words_in_clear.* FROM words_in_clear JOIN glass ON glass.id = words_in_clear.glass_id WHERE glass.patient_id = $1;

-- name: SealGlass :exec
UPDATE glass SET words = $2 WHERE id = $1;

-- name: SealReview :exec
UPDATE glass_review SET words = $2 WHERE glass_id = $1;

-- name: ForgetPatientInTheClear :exec
WITH said AS (DELETE FROM words_in_clear USING glass WHERE glass.id = words_in_clear.glass_id AND glass.patient_id = $1)
DELETE FROM patient_in_clear WHERE patient_in_clear.id = $1;

-- name: EmptyPatientsInTheClear :exec
-- The files of the tables go with the transaction; what was deleted would stay in them.
TRUNCATE patient_in_clear, words_in_clear;
