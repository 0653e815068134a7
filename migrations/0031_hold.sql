-- 0031_hold: what is kept whatever else is decided about it; and what it means that a record is destroyed.
-- A note, or all about a patient, is destroyed by taking away the data keys that it is sealed with. Its rows stay, and open
-- never again. Nothing does that to what is held: not a server, not a command, not a statement typed by hand.

-- +goose Up
ALTER TABLE note DROP CONSTRAINT note_state_check, ADD CONSTRAINT note_state_check CHECK (state IN ('draft', 'signed', 'destroyed'));
ALTER TABLE patient ADD COLUMN destroyed_at timestamptz,
    DROP CONSTRAINT patient_is_sealed,
    ADD CONSTRAINT patient_is_sealed CHECK (octet_length(sealed) > 33 AND (mrn_index IS NULL) = (destroyed_at IS NOT NULL)) NOT VALID;
COMMENT ON COLUMN patient.destroyed_at IS 'Since then nobody can say who this was: the key is gone, and the hash of the number.';
ALTER TABLE key_holder ADD COLUMN forgot bigint NOT NULL DEFAULT -1;
COMMENT ON COLUMN key_holder.forgot IS 'Up to which access_version the server has let go of what was destroyed.';

CREATE TABLE legal_hold (
    id           uuid PRIMARY KEY,
    patient_id   uuid        NOT NULL REFERENCES patient (id),
    note_id      uuid        REFERENCES note (id), -- NULL: all about the patient, also what is written later
    words        bytea       NOT NULL CHECK (octet_length(words) > 33),
    set_by       uuid        NOT NULL REFERENCES person (id),
    set_at       timestamptz NOT NULL DEFAULT now(),
    lifted_words bytea       CHECK (octet_length(lifted_words) > 33),
    lifted_by    uuid        REFERENCES person (id),
    lifted_at    timestamptz,
    CHECK (num_nulls(lifted_words, lifted_by, lifted_at) IN (0, 3))
);
CREATE INDEX legal_hold_patient ON legal_hold (patient_id) WHERE lifted_at IS NULL;
COMMENT ON TABLE legal_hold IS 'What must not be destroyed until this is lifted. Rows are added and lifted, and never go.';
COMMENT ON COLUMN legal_hold.words IS 'Why, sealed for the patient.';

-- Whoever destroys asks this within their transaction, a purge of what is old enough as well. It takes the patient's row, which
-- who sets a hold takes, too: a hold that is set at this moment is seen, or is refused.
-- +goose StatementBegin
CREATE FUNCTION refuse_held(whose uuid, which uuid) RETURNS void LANGUAGE plpgsql AS $$ -- which NULL: all about the patient
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN -- others look at what was before they waited
        RAISE EXCEPTION 'records are destroyed in read committed transactions' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'held';
    END IF;
    PERFORM FROM patient WHERE id = whose FOR UPDATE;
    IF EXISTS (SELECT FROM legal_hold WHERE patient_id = whose AND lifted_at IS NULL AND (note_id IS NULL OR which IS NULL OR note_id = which)) THEN
        RAISE EXCEPTION 'the record is held' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'held';
    END IF;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION refuse_destroyed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    gone boolean;
BEGIN
    SELECT destroyed_at IS NOT NULL INTO gone FROM patient WHERE id = NEW.patient_id FOR KEY SHARE;
    IF NOT gone AND TG_TABLE_NAME <> 'note' AND to_jsonb(NEW)->>'note_id' IS NOT NULL THEN
        SELECT state = 'destroyed' INTO gone FROM note WHERE id = (to_jsonb(NEW)->>'note_id')::uuid AND patient_id = NEW.patient_id FOR KEY SHARE;
        gone := coalesce(gone, true); -- of somebody else
    END IF;
    IF gone THEN
        RAISE EXCEPTION 'the record was destroyed' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'destroyed';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER note_is_of_somebody BEFORE INSERT OR UPDATE OF patient_id ON note FOR EACH ROW EXECUTE FUNCTION refuse_destroyed();
CREATE TRIGGER legal_hold_is_of_something BEFORE INSERT ON legal_hold FOR EACH ROW EXECUTE FUNCTION refuse_destroyed();

-- +goose StatementBegin
CREATE FUNCTION refuse_hold_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'UPDATE' OR OLD.lifted_at IS NOT NULL
       OR (NEW.id, NEW.patient_id, NEW.note_id, NEW.words, NEW.set_by, NEW.set_at)
          IS DISTINCT FROM (OLD.id, OLD.patient_id, OLD.note_id, OLD.words, OLD.set_by, OLD.set_at) THEN
        RAISE EXCEPTION 'holds are lifted, once, and otherwise never changed' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER legal_hold_is_lifted_only BEFORE UPDATE OR DELETE ON legal_hold FOR EACH ROW EXECUTE FUNCTION refuse_hold_change();
CREATE TRIGGER legal_hold_is_kept BEFORE TRUNCATE ON legal_hold FOR EACH STATEMENT EXECUTE FUNCTION refuse_hold_change();

-- A data key of a note or a patient goes only if nothing holds what it seals.
-- +goose StatementBegin
CREATE FUNCTION data_key_goes() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    whose uuid;
    which uuid;
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        RAISE EXCEPTION 'data keys go one by one' USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.scope = 2 THEN
        SELECT patient_id, id INTO whose, which FROM note WHERE id = OLD.owner;
    ELSE
        SELECT id INTO whose FROM patient WHERE id = OLD.owner;
    END IF;
    IF whose IS NOT NULL THEN
        PERFORM refuse_held(whose, which);
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER data_key_goes BEFORE DELETE OR UPDATE OF scope, owner, epoch ON data_key FOR EACH ROW
    WHEN (OLD.scope IN (2, 3)) EXECUTE FUNCTION data_key_goes();
CREATE TRIGGER data_keys_go BEFORE TRUNCATE ON data_key FOR EACH STATEMENT EXECUTE FUNCTION data_key_goes();

-- What was destroyed gets no other key, and what a backup has of its keys is passed over when it is loaded. Who destroys holds the
-- rows that this looks at; who appends to a note while a key is made for it on another connection does not. A dump is loaded without a
-- search path.
-- +goose StatementBegin
CREATE FUNCTION data_key_comes() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    gone boolean;
BEGIN
    IF NEW.scope = 2 THEN
        SELECT state = 'destroyed' INTO gone FROM note WHERE id = NEW.owner FOR KEY SHARE;
    ELSE
        SELECT destroyed_at IS NOT NULL INTO gone FROM patient WHERE id = NEW.owner FOR KEY SHARE;
    END IF;
    IF gone THEN
        RETURN NULL;
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER data_key_comes BEFORE INSERT OR UPDATE OF scope, owner ON data_key FOR EACH ROW
    WHEN (NEW.scope IN (2, 3)) EXECUTE FUNCTION data_key_comes();

-- Destroyed is what has no key any more, and stays so. Every server is told, to forget what it has in memory.
-- +goose StatementBegin
CREATE FUNCTION destroy_wholly() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(OLD)->>'state' = 'destroyed' OR to_jsonb(OLD)->>'destroyed_at' IS NOT NULL THEN
        RAISE EXCEPTION 'what was destroyed stays so' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'destroyed';
    END IF;
    PERFORM refuse_held((to_jsonb(NEW)->>CASE TG_TABLE_NAME WHEN 'note' THEN 'patient_id' ELSE 'id' END)::uuid,
                        CASE TG_TABLE_NAME WHEN 'note' THEN NEW.id END);
    IF EXISTS (SELECT FROM data_key WHERE owner = NEW.id AND scope IN (2, 3))
       OR TG_TABLE_NAME = 'patient' AND EXISTS (SELECT FROM note WHERE patient_id = NEW.id AND state <> 'destroyed') THEN
        RAISE EXCEPTION 'there is a key left' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER note_is_destroyed_wholly BEFORE UPDATE OF state ON note FOR EACH ROW
    WHEN ((OLD.state = 'destroyed') <> (NEW.state = 'destroyed')) EXECUTE FUNCTION destroy_wholly();
CREATE TRIGGER patient_is_destroyed_wholly BEFORE UPDATE OF destroyed_at ON patient FOR EACH ROW
    WHEN (OLD.destroyed_at IS DISTINCT FROM NEW.destroyed_at) EXECUTE FUNCTION destroy_wholly();
CREATE TRIGGER note_tells_destroyed AFTER UPDATE OF state ON note FOR EACH ROW
    WHEN (NEW.state = 'destroyed') EXECUTE FUNCTION tell_access('destroyed');
CREATE TRIGGER patient_tells_destroyed AFTER UPDATE OF destroyed_at ON patient FOR EACH ROW
    WHEN (NEW.destroyed_at IS NOT NULL) EXECUTE FUNCTION tell_access('destroyed');

-- +goose Down
-- +goose StatementBegin
DO $$ BEGIN
    IF EXISTS (SELECT FROM note WHERE state = 'destroyed') OR EXISTS (SELECT FROM patient WHERE destroyed_at IS NOT NULL) THEN
        RAISE EXCEPTION 'records were destroyed';
    END IF;
    IF EXISTS (SELECT FROM legal_hold WHERE lifted_at IS NULL) THEN RAISE EXCEPTION 'records are held'; END IF;
END $$;
-- +goose StatementEnd
DROP TRIGGER patient_tells_destroyed ON patient;
DROP TRIGGER note_tells_destroyed ON note;
DROP TRIGGER patient_is_destroyed_wholly ON patient;
DROP TRIGGER note_is_destroyed_wholly ON note;
DROP TRIGGER data_key_comes ON data_key;
DROP TRIGGER data_keys_go ON data_key;
DROP TRIGGER data_key_goes ON data_key;
DROP TRIGGER note_is_of_somebody ON note;
DROP TABLE legal_hold;
DROP FUNCTION destroy_wholly, data_key_comes, data_key_goes, refuse_hold_change, refuse_destroyed, refuse_held;
ALTER TABLE key_holder DROP COLUMN forgot;
ALTER TABLE patient DROP CONSTRAINT patient_is_sealed, DROP COLUMN destroyed_at,
    ADD CONSTRAINT patient_is_sealed CHECK (octet_length(sealed) > 33 AND mrn_index IS NOT NULL) NOT VALID;
ALTER TABLE note DROP CONSTRAINT note_state_check, ADD CONSTRAINT note_state_check CHECK (state IN ('draft', 'signed'));
