-- 0045_retention: how long records are kept, and that they go when that is over (docs/retention.md).
-- A note is kept for the longest time that any class demands that applies to it: that of its patient, that of its kind, and the standard;
-- from the last edit of any note about the patient, or from when they left. Of whoever lies in a bed nothing is over. What is purged loses
-- its data keys and the rows of its log, in a transaction that has it on record; nothing else takes a row from a log.

-- +goose Up
CREATE TABLE retention_class (
    code       text PRIMARY KEY CHECK (code ~ '^[a-z][a-z0-9-]{0,39}$'),
    what       text        NOT NULL CHECK (what IN ('patients', 'notes')), -- notes: of the kind that is called so
    years      integer     NOT NULL CHECK (years BETWEEN 1 AND 150),
    changed_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO retention_class (code, what, years) VALUES ('standard', 'patients', 6), ('minor', 'patients', 24);
COMMENT ON TABLE retention_class IS 'For how many years a record is kept at least. standard applies to all.';

ALTER TABLE patient
    ADD COLUMN retention text REFERENCES retention_class (code),
    ADD COLUMN seen_at   timestamptz NOT NULL DEFAULT now();
COMMENT ON COLUMN patient.retention IS 'The class of their record; NULL: nobody has said, so that nothing of it is ever over.';
COMMENT ON COLUMN patient.seen_at IS 'When they last left a bed; or when they were added.';
CREATE INDEX patient_unclassified ON patient (id) WHERE retention IS NULL AND destroyed_at IS NULL;

-- +goose StatementBegin
CREATE FUNCTION stay_ends() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE patient SET seen_at = now() WHERE id = OLD.patient_id AND destroyed_at IS NULL;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- Its name comes before that of the trigger that takes the notes: a patient before their notes.
CREATE TRIGGER stay_begins_retention AFTER DELETE ON stay FOR EACH ROW EXECUTE FUNCTION stay_ends();

-- When the time of a note is over, or with which NULL, of all about a patient; NULL: it does not run.
-- +goose StatementBegin
CREATE FUNCTION retention_ends(whose uuid, which uuid) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT greatest(patient.seen_at, (SELECT max(edited_at) FROM note WHERE patient_id = whose))
           + make_interval(years => greatest(
                 (SELECT years FROM retention_class WHERE code = patient.retention),
                 (SELECT years FROM retention_class WHERE code = 'standard'),
                 (SELECT max(years) FROM note JOIN retention_class ON what = 'notes' AND code = note.kind
                   WHERE note.patient_id = whose AND (which IS NULL OR note.id = which))))
      FROM patient
     WHERE patient.id = whose AND patient.retention IS NOT NULL AND NOT EXISTS (SELECT FROM stay WHERE stay.patient_id = whose)
$$;
-- +goose StatementEnd

-- Who shortens a time has it on record.
-- +goose StatementBegin
CREATE FUNCTION retention_on_record() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP IN ('DELETE', 'TRUNCATE') OR TG_OP = 'UPDATE' AND (NEW.code, NEW.what) IS DISTINCT FROM (OLD.code, OLD.what) THEN
        RAISE EXCEPTION 'classes stay what they are' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NOT EXISTS (SELECT FROM audit_event WHERE xid = pg_current_xact_id() AND act = 'retention.set') THEN
        RAISE EXCEPTION 'a change of retention has to be on record' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER retention_class_is_on_record BEFORE INSERT OR UPDATE OR DELETE ON retention_class FOR EACH ROW EXECUTE FUNCTION retention_on_record();
CREATE TRIGGER retention_class_is_kept BEFORE TRUNCATE ON retention_class FOR EACH STATEMENT EXECUTE FUNCTION retention_on_record();

CREATE TABLE retention_run (
    id        uuid PRIMARY KEY,
    begun_at  timestamptz NOT NULL DEFAULT now(),
    ended_at  timestamptz,
    erased_at timestamptz
);
COMMENT ON TABLE retention_run IS 'One purge; who stops it goes on with it the next time.';
COMMENT ON COLUMN retention_run.erased_at IS 'Tables were written anew, so that the keys are in no file of theirs either.';

CREATE TABLE purged (
    run_id     uuid        NOT NULL REFERENCES retention_run (id),
    patient_id uuid        NOT NULL REFERENCES patient (id),
    note_id    uuid        REFERENCES note (id), -- NULL: who the patient is
    ended_at   timestamptz NOT NULL,             -- when its time was over
    at         timestamptz NOT NULL DEFAULT now(),
    xid        xid8        NOT NULL DEFAULT pg_current_xact_id()
);
CREATE UNIQUE INDEX purged_once ON purged (patient_id, coalesce(note_id, patient_id));
CREATE INDEX purged_note ON purged (note_id) WHERE note_id IS NOT NULL;
CREATE INDEX purged_run ON purged (run_id);
COMMENT ON TABLE purged IS 'What went because its time was over. Rows never go.';

-- +goose StatementBegin
CREATE FUNCTION purge_rightly() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        RAISE EXCEPTION 'what was purged stays on record' USING ERRCODE = 'restrict_violation';
    END IF;
    PERFORM refuse_held(NEW.patient_id, NEW.note_id);
    IF NEW.note_id IS NOT NULL AND NOT EXISTS (SELECT FROM note WHERE id = NEW.note_id AND patient_id = NEW.patient_id) THEN
        RAISE EXCEPTION 'the note is about somebody else' USING ERRCODE = 'restrict_violation';
    END IF;
    NEW.ended_at := retention_ends(NEW.patient_id, NEW.note_id);
    NEW.xid := pg_current_xact_id();
    IF NEW.ended_at IS NULL OR NEW.ended_at > clock_timestamp() THEN
        RAISE EXCEPTION 'its time is not over' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'retained';
    END IF;
    IF NOT EXISTS (SELECT FROM audit_event WHERE xid = pg_current_xact_id() AND act = 'retention.destroy'
                      AND patient_id = NEW.patient_id AND note_id IS NOT DISTINCT FROM NEW.note_id) THEN
        RAISE EXCEPTION 'a purge has to be on record' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER purged_rightly BEFORE INSERT OR UPDATE OR DELETE ON purged FOR EACH ROW EXECUTE FUNCTION purge_rightly();
CREATE TRIGGER purged_is_kept BEFORE TRUNCATE ON purged FOR EACH STATEMENT EXECUTE FUNCTION purge_rightly();

-- Rows of logs go only with their note, in the transaction that purges it.
-- +goose StatementBegin
CREATE FUNCTION keep_unless_purged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM gone WHERE NOT EXISTS (SELECT FROM purged WHERE purged.note_id = gone.note_id AND purged.xid = pg_current_xact_id())) THEN
        RAISE EXCEPTION 'the log of a note is append-only' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION keep_log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM gone
          LEFT JOIN note_burst b ON b.note_id = gone.note_id AND gone.seq BETWEEN b.first_seq AND b.last_seq
         WHERE NOT EXISTS (SELECT FROM purged WHERE purged.note_id = gone.note_id AND purged.xid = pg_current_xact_id())
         GROUP BY b.note_id, b.first_seq, b.author_id, b.session_id, b.sum
        HAVING b.note_id IS NULL
            OR bool_or(gone.author_id <> b.author_id OR gone.session_id IS DISTINCT FROM b.session_id)
            OR sha256(string_agg(int8send(gone.seq) || timestamptz_send(gone.at) || int4send(octet_length(gone.data)) || gone.data, ''::bytea ORDER BY gone.seq)) <> b.sum
    ) THEN
        RAISE EXCEPTION 'the log of a note is append-only: no burst holds this' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
DROP TRIGGER note_burst_is_append_only ON note_burst;
DROP TRIGGER note_loss_is_append_only ON note_loss;
DROP TRIGGER note_loss_settled_is_append_only ON note_loss_settled;
DROP TRIGGER note_copy_is_append_only ON note_copy;
DROP TRIGGER recovered_is_append_only ON recovered;
CREATE TRIGGER note_burst_is_append_only BEFORE TRUNCATE ON note_burst FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER note_loss_is_append_only BEFORE UPDATE OR TRUNCATE ON note_loss FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER note_loss_settled_is_append_only BEFORE UPDATE OR TRUNCATE ON note_loss_settled FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER note_copy_is_append_only BEFORE UPDATE OR TRUNCATE ON note_copy FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER recovered_is_append_only BEFORE UPDATE OR TRUNCATE ON recovered FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER note_burst_is_purged_only AFTER DELETE ON note_burst REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION keep_unless_purged();
CREATE TRIGGER note_loss_is_purged_only AFTER DELETE ON note_loss REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION keep_unless_purged();
CREATE TRIGGER note_loss_settled_is_purged_only AFTER DELETE ON note_loss_settled REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION keep_unless_purged();
CREATE TRIGGER note_copy_is_purged_only AFTER DELETE ON note_copy REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION keep_unless_purged();
CREATE TRIGGER recovered_is_purged_only AFTER DELETE ON recovered REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION keep_unless_purged();

-- A data key goes if two people have decided so, or its time is over.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION refuse_undecided() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    whose uuid := OLD.owner;
    which uuid;
BEGIN
    IF OLD.scope = 2 THEN
        SELECT patient_id, id INTO whose, which FROM note WHERE id = OLD.owner;
    END IF;
    IF EXISTS (SELECT FROM patient WHERE id = whose)
       AND NOT EXISTS (SELECT FROM shredding WHERE patient_id = whose AND (note_id IS NULL OR note_id = which)
                                               AND approved_at IS NOT NULL AND ended_at IS NULL AND done_at IS NULL AND until >= clock_timestamp())
       AND NOT (TG_OP = 'DELETE' AND EXISTS (SELECT FROM purged WHERE patient_id = whose AND note_id IS NOT DISTINCT FROM which AND xid = pg_current_xact_id())) THEN
        RAISE EXCEPTION 'two people have to decide this first' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'two_people';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
DO $$ BEGIN
    IF EXISTS (SELECT FROM purged) THEN RAISE EXCEPTION 'records were purged'; END IF;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION refuse_undecided() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    whose uuid := OLD.owner;
    which uuid;
BEGIN
    IF OLD.scope = 2 THEN
        SELECT patient_id, id INTO whose, which FROM note WHERE id = OLD.owner;
    END IF;
    IF EXISTS (SELECT FROM patient WHERE id = whose)
       AND NOT EXISTS (SELECT FROM shredding WHERE patient_id = whose AND (note_id IS NULL OR note_id = which)
                                               AND approved_at IS NOT NULL AND ended_at IS NULL AND done_at IS NULL AND until >= clock_timestamp()) THEN
        RAISE EXCEPTION 'two people have to decide this first' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'two_people';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION keep_log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM gone
          LEFT JOIN note_burst b ON b.note_id = gone.note_id AND gone.seq BETWEEN b.first_seq AND b.last_seq
         GROUP BY b.note_id, b.first_seq, b.author_id, b.session_id, b.sum
        HAVING b.note_id IS NULL
            OR bool_or(gone.author_id <> b.author_id OR gone.session_id IS DISTINCT FROM b.session_id)
            OR sha256(string_agg(int8send(gone.seq) || timestamptz_send(gone.at) || int4send(octet_length(gone.data)) || gone.data, ''::bytea ORDER BY gone.seq)) <> b.sum
    ) THEN
        RAISE EXCEPTION 'the log of a note is append-only: no burst holds this' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
DROP TRIGGER recovered_is_purged_only ON recovered;
DROP TRIGGER note_copy_is_purged_only ON note_copy;
DROP TRIGGER note_loss_settled_is_purged_only ON note_loss_settled;
DROP TRIGGER note_loss_is_purged_only ON note_loss;
DROP TRIGGER note_burst_is_purged_only ON note_burst;
DROP TRIGGER recovered_is_append_only ON recovered;
DROP TRIGGER note_copy_is_append_only ON note_copy;
DROP TRIGGER note_loss_settled_is_append_only ON note_loss_settled;
DROP TRIGGER note_loss_is_append_only ON note_loss;
DROP TRIGGER note_burst_is_append_only ON note_burst;
CREATE TRIGGER note_burst_is_append_only BEFORE DELETE OR TRUNCATE ON note_burst FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER note_loss_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON note_loss FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER note_loss_settled_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON note_loss_settled FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER note_copy_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON note_copy FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER recovered_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON recovered FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
DROP TABLE purged, retention_run;
DROP TRIGGER stay_begins_retention ON stay;
ALTER TABLE patient DROP COLUMN retention, DROP COLUMN seen_at;
DROP TABLE retention_class;
DROP FUNCTION keep_unless_purged, purge_rightly, retention_on_record, retention_ends, stay_ends;
