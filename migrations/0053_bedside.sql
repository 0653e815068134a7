-- 0053_bedside: what a team has to know of a patient at a glance, and displays in hallways.
-- The channel of migration 0005 has one more kind of line. It moves no version, since it changes nobody's access: who misses
-- it looks a little later.
--   0 unit 4-west     boards of that unit show something else from now on

-- +goose Up
ALTER TABLE stay
    ADD COLUMN bedside    bytea CHECK (octet_length(bedside) > 33),
    ADD COLUMN bedside_n  integer NOT NULL DEFAULT 0,
    ADD COLUMN bedside_at timestamptz;
COMMENT ON COLUMN stay.bedside IS 'Severity, code status, isolation, expected discharge, and the last changes of these, sealed for the patient. It ends with the stay.';
COMMENT ON COLUMN stay.bedside_n IS 'How often it was changed: who changes it has seen the change before.';

-- +goose StatementBegin
CREATE FUNCTION tell_unit(which text) RETURNS void LANGUAGE sql AS $$
    SELECT pg_notify('access', '0 unit ' || which) WHERE which IS NOT NULL
$$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION stay_tells_unit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM tell_unit(unit_id) FROM bed WHERE id IN ((OLD).bed_id, (NEW).bed_id);
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER stay_tells_unit AFTER INSERT OR UPDATE OR DELETE ON stay FOR EACH ROW EXECUTE FUNCTION stay_tells_unit();
-- +goose StatementBegin
CREATE FUNCTION note_tells_unit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM tell_unit(bed.unit_id) FROM stay JOIN bed ON bed.id = stay.bed_id WHERE stay.patient_id = NEW.patient_id;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER note_tells_unit AFTER INSERT ON note FOR EACH ROW EXECUTE FUNCTION note_tells_unit();

ALTER TABLE person
    DROP CONSTRAINT person_role_check,
    ADD CONSTRAINT person_role_check CHECK (role IN ('attending', 'resident', 'nurse', 'charge nurse', 'pharmacist', 'student', 'scribe',
        'service account', 'administrator', 'privacy officer', 'display'));

-- +goose Down
UPDATE person SET suspended = true, role = 'administrator' WHERE role = 'display'; -- which the program before this one does not know
ALTER TABLE person
    DROP CONSTRAINT person_role_check,
    ADD CONSTRAINT person_role_check CHECK (role IN ('attending', 'resident', 'nurse', 'charge nurse', 'pharmacist', 'student', 'scribe',
        'service account', 'administrator', 'privacy officer'));
DROP TRIGGER note_tells_unit ON note;
DROP TRIGGER stay_tells_unit ON stay;
DROP FUNCTION note_tells_unit, stay_tells_unit, tell_unit;
ALTER TABLE stay DROP COLUMN bedside, DROP COLUMN bedside_n, DROP COLUMN bedside_at;
