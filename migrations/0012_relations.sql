-- 0012_relations: what people have to do with patients, which is what decides who may read and write (I9).
-- Whoever works where a patient lies, or is on their care team, is in the view tie. Two counters say when a decision
-- is out of date: a person's, of what they may do anywhere, and a note's, of what anybody may do with it. Each change
-- moves one of them, in its own transaction; append compares both with what was decided on.

-- +goose Up
ALTER TABLE person
    DROP CONSTRAINT person_role_check,
    ADD CONSTRAINT person_role_check CHECK (role IN ('attending', 'resident', 'nurse', 'charge nurse', 'pharmacist', 'student', 'scribe',
        'service account', 'administrator', 'privacy officer')),
    ADD COLUMN supervisor_id uuid REFERENCES person (id) CHECK (supervisor_id <> id),
    ADD COLUMN patient_id    uuid UNIQUE REFERENCES patient (id),
    ADD COLUMN access_epoch  bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN person.unit_id IS 'Where they work, until somebody changes it; see cover.';
COMMENT ON COLUMN person.supervisor_id IS 'Under whom a scribe or a student works.';
COMMENT ON COLUMN person.patient_id IS 'Their own record, which they do not open by way of their work.';
CREATE INDEX person_supervisor ON person (supervisor_id) WHERE supervisor_id IS NOT NULL;

ALTER TABLE patient ADD COLUMN vip boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN patient.vip IS 'Working on the unit is not enough: only the care team opens this record.';
ALTER TABLE note ADD COLUMN access_epoch bigint NOT NULL DEFAULT 0;

CREATE TABLE cover (
    person_id uuid        NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    unit_id   text        NOT NULL REFERENCES unit (id),
    until     timestamptz NOT NULL,
    PRIMARY KEY (person_id, unit_id)
);
CREATE INDEX cover_unit ON cover (unit_id);
COMMENT ON TABLE cover IS 'Who works on a unit besides their own, and until when: a shift, a consult, all pharmacists.';

CREATE TABLE care_team (
    patient_id uuid        NOT NULL REFERENCES stay (patient_id) ON DELETE CASCADE,
    person_id  uuid        NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    since      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (patient_id, person_id)
);
CREATE INDEX care_team_person ON care_team (person_id);
COMMENT ON TABLE care_team IS 'Who cares for a patient during this stay, wherever they work. It ends with the stay.';

CREATE VIEW duty AS
    SELECT id AS person_id, unit_id, 'infinity'::timestamptz AS until FROM person WHERE unit_id IS NOT NULL
    UNION ALL
    SELECT person_id, unit_id, until FROM cover WHERE until > now();
COMMENT ON VIEW duty IS 'Who works on which unit now.';

CREATE VIEW care AS
    SELECT duty.person_id, stay.patient_id, false AS team, duty.until
      FROM duty JOIN bed ON bed.unit_id = duty.unit_id JOIN stay ON stay.bed_id = bed.id
    UNION ALL
    -- Who has left is still the concern of the units that wrote about them: a record is to be complete after 30 days.
    SELECT duty.person_id, note.patient_id, false, least(duty.until, note.created_at + interval '30 days')
      FROM duty JOIN note ON note.unit_id = duty.unit_id
     WHERE note.created_at > now() - interval '30 days' AND NOT EXISTS (SELECT FROM stay WHERE stay.patient_id = note.patient_id)
    UNION ALL
    SELECT person_id, patient_id, true, 'infinity' FROM care_team;

CREATE VIEW tie AS
    SELECT person_id, patient_id, CASE WHEN team THEN 'team' ELSE 'unit' END AS kind, until FROM care
    UNION ALL
    SELECT person.id, care.patient_id, 'supervised', care.until
      FROM person JOIN person supervisor ON supervisor.id = person.supervisor_id JOIN care ON care.person_id = supervisor.id
     WHERE supervisor.role IN ('attending', 'resident') AND NOT supervisor.suspended
    UNION ALL
    SELECT id, patient_id, 'own', 'infinity' FROM person WHERE patient_id IS NOT NULL;
COMMENT ON VIEW tie IS 'What a person has to do with a patient now. Package access says what follows from it.';

-- A note's counter moves with all that concerns its patient, too.
-- +goose StatementBegin
CREATE FUNCTION touch_patient(touched uuid) RETURNS void LANGUAGE sql AS $$
    UPDATE note SET access_epoch = access_epoch + 1
     WHERE id IN (SELECT id FROM note WHERE patient_id = touched ORDER BY id FOR NO KEY UPDATE) -- the order of commits
$$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION touch_person(touched uuid) RETURNS void LANGUAGE sql AS $$
    UPDATE person SET access_epoch = access_epoch + 1 WHERE id = touched
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION patient_changes() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    was jsonb := to_jsonb(OLD); -- NULL of what is inserted, as the other of what is deleted
    now jsonb := to_jsonb(NEW);
    key text := TG_ARGV[0];
BEGIN
    PERFORM touch_patient((was->>key)::uuid) WHERE was->>key IS NOT NULL;
    PERFORM touch_patient((now->>key)::uuid) WHERE now->>key IS DISTINCT FROM was->>key AND now->>key IS NOT NULL;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER stay_changes_access AFTER INSERT OR UPDATE OF patient_id, bed_id OR DELETE ON stay
    FOR EACH ROW EXECUTE FUNCTION patient_changes('patient_id');
CREATE TRIGGER care_team_changes_access AFTER INSERT OR UPDATE OR DELETE ON care_team
    FOR EACH ROW EXECUTE FUNCTION patient_changes('patient_id');
CREATE TRIGGER patient_changes_access AFTER UPDATE OF vip ON patient FOR EACH ROW
    WHEN (OLD.vip <> NEW.vip) EXECUTE FUNCTION patient_changes('id');

-- +goose StatementBegin
CREATE FUNCTION bed_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM touch_patient(patient_id) FROM stay WHERE bed_id = NEW.id;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER bed_changes_access AFTER UPDATE OF unit_id ON bed FOR EACH ROW EXECUTE FUNCTION bed_changes();

-- +goose StatementBegin
CREATE FUNCTION cover_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM touch_person(person_id) FROM (SELECT (OLD).person_id UNION SELECT (NEW).person_id) touched WHERE person_id IS NOT NULL;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER cover_changes_access AFTER INSERT OR UPDATE OR DELETE ON cover FOR EACH ROW EXECUTE FUNCTION cover_changes();

-- Counters move before the row is written, and are told by what follows.
-- +goose StatementBegin
CREATE FUNCTION next_epoch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.access_epoch := OLD.access_epoch + 1;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER person_moves_epoch BEFORE UPDATE OF role, unit_id, suspended, supervisor_id, patient_id ON person FOR EACH ROW
    WHEN ((OLD.role, OLD.unit_id, OLD.suspended, OLD.supervisor_id, OLD.patient_id)
        IS DISTINCT FROM (NEW.role, NEW.unit_id, NEW.suspended, NEW.supervisor_id, NEW.patient_id))
    EXECUTE FUNCTION next_epoch();
-- What append asks the note itself, its state and recovery_until, needs no counter.
CREATE TRIGGER note_moves_epoch BEFORE UPDATE OF patient_id, unit_id, kind, created_by ON note FOR EACH ROW
    WHEN ((OLD.patient_id, OLD.unit_id, OLD.kind, OLD.created_by) IS DISTINCT FROM (NEW.patient_id, NEW.unit_id, NEW.kind, NEW.created_by))
    EXECUTE FUNCTION next_epoch();

DROP TRIGGER person_changes_access ON person;
CREATE TRIGGER person_changes_access AFTER UPDATE ON person FOR EACH ROW
    WHEN (OLD.access_epoch <> NEW.access_epoch) EXECUTE FUNCTION tell_access('person');
DROP TRIGGER note_changes_access ON note;
-- Commits change a note's head all the time: only what names one of these columns is looked at.
CREATE TRIGGER note_changes_access AFTER UPDATE OF access_epoch, state, recovery_until, patient_id, unit_id, kind, created_by ON note FOR EACH ROW
    WHEN ((OLD.access_epoch, OLD.state, OLD.recovery_until) IS DISTINCT FROM (NEW.access_epoch, NEW.state, NEW.recovery_until))
    EXECUTE FUNCTION tell_access('note');

-- Who works under somebody may do what follows from what that one may.
-- +goose StatementBegin
CREATE FUNCTION touch_supervised() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE person SET access_epoch = access_epoch + 1 WHERE supervisor_id = NEW.id AND role IN ('scribe', 'student');
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER person_changes_supervised AFTER UPDATE ON person FOR EACH ROW
    WHEN (OLD.access_epoch <> NEW.access_epoch AND (OLD.role NOT IN ('scribe', 'student') OR NEW.role NOT IN ('scribe', 'student')))
    EXECUTE FUNCTION touch_supervised();

-- Commits share this lock while they compare counters and insert. Whoever changes what a person may do takes it alone, at
-- the end of the transaction, for as long as that takes to commit: what is committed later has seen it.
-- +goose StatementBegin
CREATE FUNCTION fence_commits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('tidechart access', 0));
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE CONSTRAINT TRIGGER person_fences_commits AFTER UPDATE ON person DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.access_epoch <> NEW.access_epoch) EXECUTE FUNCTION fence_commits();

-- +goose Down
DROP TRIGGER person_fences_commits ON person;
DROP TRIGGER person_changes_supervised ON person;
DROP TRIGGER note_changes_access ON note;
DROP TRIGGER person_changes_access ON person;
DROP TRIGGER note_moves_epoch ON note;
DROP TRIGGER person_moves_epoch ON person;
DROP TRIGGER cover_changes_access ON cover;
DROP TRIGGER bed_changes_access ON bed;
DROP TRIGGER patient_changes_access ON patient;
DROP TRIGGER care_team_changes_access ON care_team;
DROP TRIGGER stay_changes_access ON stay;
DROP FUNCTION fence_commits, touch_supervised, next_epoch, cover_changes, bed_changes, patient_changes, touch_person, touch_patient;
DROP VIEW tie, care, duty;
DROP TABLE care_team, cover;
ALTER TABLE note DROP COLUMN access_epoch;
ALTER TABLE patient DROP COLUMN vip;
ALTER TABLE person
    DROP COLUMN supervisor_id, DROP COLUMN patient_id, DROP COLUMN access_epoch,
    DROP CONSTRAINT person_role_check;
UPDATE person SET suspended = true, role = 'administrator'
 WHERE role IN ('pharmacist', 'student', 'scribe', 'service account'); -- which the program before this one does not know
ALTER TABLE person
    ADD CONSTRAINT person_role_check CHECK (role IN ('attending', 'resident', 'nurse', 'charge nurse', 'administrator', 'privacy officer'));
CREATE TRIGGER person_changes_access AFTER UPDATE OF role, unit_id, suspended ON person FOR EACH ROW
    WHEN ((OLD.role, OLD.unit_id, OLD.suspended) IS DISTINCT FROM (NEW.role, NEW.unit_id, NEW.suspended))
    EXECUTE FUNCTION tell_access('person');
CREATE TRIGGER note_changes_access AFTER UPDATE OF state, recovery_until ON note FOR EACH ROW
    WHEN ((OLD.state, OLD.recovery_until) IS DISTINCT FROM (NEW.state, NEW.recovery_until)) EXECUTE FUNCTION tell_access('note');
