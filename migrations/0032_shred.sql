-- 0032_shred: two people decide that a record is destroyed, one who asks for it and another who approves, within a week; an
-- operator carries it out. The database looks at the same things as the server does.

-- +goose Up
CREATE TABLE shredding (
    id           uuid PRIMARY KEY,
    patient_id   uuid        NOT NULL REFERENCES patient (id),
    note_id      uuid        REFERENCES note (id), -- NULL: who the patient is, and all notes about them
    reason       text        NOT NULL CHECK (reason IN ('retention', 'erasure', 'order', 'error', 'test')),
    words        bytea       NOT NULL CHECK (octet_length(words) > 33),
    asked_by     uuid        NOT NULL REFERENCES person (id),
    asked_at     timestamptz NOT NULL DEFAULT now(),
    until        timestamptz NOT NULL,
    approved_by  uuid        REFERENCES person (id),
    approved_at  timestamptz,
    ended_by     uuid        REFERENCES person (id), -- NULL: nobody; its time is over
    ended_at     timestamptz,
    done_at      timestamptz,
    erased_at    timestamptz,
    CHECK (until > asked_at AND until <= asked_at + interval '7 days'),
    CONSTRAINT two_people CHECK (approved_by <> asked_by),
    CHECK ((approved_by IS NULL) = (approved_at IS NULL) AND approved_at <= until),
    CHECK (done_at IS NULL OR approved_at IS NOT NULL AND ended_at IS NULL),
    CHECK (erased_at >= done_at AND (erased_at IS NULL OR done_at IS NOT NULL))
);
CREATE UNIQUE INDEX shredding_is_one ON shredding (patient_id, coalesce(note_id, patient_id)) WHERE ended_at IS NULL AND done_at IS NULL;
CREATE INDEX shredding_asked ON shredding (asked_at DESC);
COMMENT ON TABLE shredding IS 'Who decided that a record is destroyed, and when it was. Rows never go.';
COMMENT ON COLUMN shredding.words IS 'Why, sealed for the patient: it goes with them.';
COMMENT ON COLUMN shredding.erased_at IS 'Tables were written anew, so that the keys are in no file of theirs either.';
CREATE TRIGGER shredding_is_of_something BEFORE INSERT ON shredding FOR EACH ROW EXECUTE FUNCTION refuse_destroyed();

-- +goose StatementBegin
CREATE FUNCTION shred_by_two() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP NOT IN ('INSERT', 'UPDATE') THEN
        RAISE EXCEPTION 'decisions are kept' USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NOT EXISTS (SELECT FROM person WHERE id = NEW.asked_by AND role = 'privacy officer' AND NOT suspended AND patient_id IS DISTINCT FROM NEW.patient_id)
           OR num_nonnulls(NEW.approved_by, NEW.ended_by, NEW.ended_at, NEW.done_at, NEW.erased_at) > 0 THEN
            RAISE EXCEPTION 'the privacy officer asks for it' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'two_people';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.patient_id, NEW.note_id, NEW.reason, NEW.words, NEW.asked_by, NEW.asked_at, NEW.until)
       IS DISTINCT FROM (OLD.id, OLD.patient_id, OLD.note_id, OLD.reason, OLD.words, OLD.asked_by, OLD.asked_at, OLD.until)
       OR OLD.approved_by IS NOT NULL AND (NEW.approved_by, NEW.approved_at) IS DISTINCT FROM (OLD.approved_by, OLD.approved_at)
       OR OLD.ended_at IS NOT NULL AND NEW IS DISTINCT FROM OLD
       OR OLD.done_at IS NOT NULL AND NEW.done_at IS DISTINCT FROM OLD.done_at OR OLD.erased_at IS NOT NULL AND NEW.erased_at IS DISTINCT FROM OLD.erased_at THEN
        RAISE EXCEPTION 'decisions are kept' USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.approved_by IS NULL AND NEW.approved_by IS NOT NULL
       AND (NEW.until < clock_timestamp()
            OR NOT EXISTS (SELECT FROM person WHERE id = NEW.approved_by AND role = 'administrator' AND NOT suspended AND patient_id IS DISTINCT FROM NEW.patient_id)) THEN
        RAISE EXCEPTION 'an administrator approves it, in time' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'two_people';
    END IF;
    IF OLD.done_at IS NULL AND NEW.done_at IS NOT NULL
       AND NOT (CASE WHEN NEW.note_id IS NULL THEN EXISTS (SELECT FROM patient WHERE id = NEW.patient_id AND destroyed_at IS NOT NULL)
                    ELSE EXISTS (SELECT FROM note WHERE id = NEW.note_id AND state = 'destroyed') END) THEN
        RAISE EXCEPTION 'it is not destroyed' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER shredding_is_by_two BEFORE INSERT OR UPDATE OR DELETE ON shredding FOR EACH ROW EXECUTE FUNCTION shred_by_two();
CREATE TRIGGER shredding_is_kept BEFORE TRUNCATE ON shredding FOR EACH STATEMENT EXECUTE FUNCTION shred_by_two();

-- A data key of a note or a patient goes only if two people have decided so, who still may.
-- +goose StatementBegin
CREATE FUNCTION refuse_undecided() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER data_key_goes_by_two BEFORE DELETE OR UPDATE OF scope, owner, epoch ON data_key FOR EACH ROW
    WHEN (OLD.scope IN (2, 3)) EXECUTE FUNCTION refuse_undecided();

-- +goose Down
-- +goose StatementBegin
DO $$ BEGIN
    IF EXISTS (SELECT FROM shredding WHERE done_at IS NOT NULL) THEN RAISE EXCEPTION 'records were destroyed'; END IF;
END $$;
-- +goose StatementEnd
DROP TRIGGER data_key_goes_by_two ON data_key;
DROP TABLE shredding;
DROP FUNCTION refuse_undecided, shred_by_two;
