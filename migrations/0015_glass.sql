-- 0015_glass: who opened a record that was not theirs to open, in an emergency; and who has opened which record at all.
-- Rows are added, never changed.

-- +goose Up
CREATE TABLE glass (
    id         uuid PRIMARY KEY,
    person_id  uuid        NOT NULL REFERENCES person (id),
    patient_id uuid        NOT NULL REFERENCES patient (id),
    unit_id    text        REFERENCES unit (id), -- where the patient lay, whose charge nurses are told; NULL: nowhere
    reason     text        NOT NULL CHECK (reason IN ('emergency', 'cover', 'consult', 'handover', 'other')),
    words      text        NOT NULL CHECK (length(words) BETWEEN 10 AND 500),
    at         timestamptz NOT NULL DEFAULT now(),
    until      timestamptz NOT NULL,
    CHECK (until > at AND until <= at + interval '30 minutes')
);
CREATE INDEX glass_person ON glass (person_id, patient_id, until);
CREATE INDEX glass_at ON glass (at DESC);
COMMENT ON TABLE glass IS 'Broken glass: for one patient, with a reason, for half an hour at most.';

CREATE TABLE glass_review (
    glass_id uuid PRIMARY KEY REFERENCES glass (id),
    by_id    uuid        NOT NULL REFERENCES person (id),
    finding  text        NOT NULL CHECK (finding IN ('appropriate', 'inappropriate')),
    words    text        NOT NULL CHECK (length(words) <= 500),
    at       timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE glass_review IS 'What somebody else found about it. Without a row, it waits.';

-- +goose StatementBegin
CREATE FUNCTION refuse_own_review() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM glass WHERE id = NEW.glass_id AND person_id = NEW.by_id) THEN
        RAISE EXCEPTION 'nobody reviews what they did' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER glass_review_is_anothers BEFORE INSERT ON glass_review FOR EACH ROW EXECUTE FUNCTION refuse_own_review();

-- What somebody does again within a minute, such as reloading a page, is one row.
CREATE TABLE opening (
    person_id  uuid        NOT NULL REFERENCES person (id),
    patient_id uuid        NOT NULL REFERENCES patient (id),
    note_id    uuid        REFERENCES note (id), -- NULL: the record as such
    how        text        NOT NULL CHECK (how IN ('page', 'editor', 'api', 'denied', 'glass', 'accesses', 'export')),
    ties       text        NOT NULL,             -- what linked them at that time, as package access names it
    at         timestamptz NOT NULL DEFAULT now(),
    minute     bigint      NOT NULL DEFAULT floor(extract(epoch FROM now()) / 60) -- since 1970
);
CREATE UNIQUE INDEX opening_once ON opening (patient_id, person_id, how, coalesce(note_id, patient_id), minute);
CREATE INDEX opening_at ON opening (patient_id, at DESC);
CREATE INDEX opening_person ON opening (person_id, at);
COMMENT ON TABLE opening IS 'Who has opened which record, how, and by what right; and who tried to.';

-- +goose StatementBegin
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the record of accesses is append-only' USING ERRCODE = 'restrict_violation';
END $$;
-- +goose StatementEnd
CREATE TRIGGER glass_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON glass FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER glass_review_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON glass_review FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER opening_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON opening FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE OR REPLACE VIEW tie AS
    SELECT person_id, patient_id, CASE WHEN team THEN 'team' ELSE 'unit' END AS kind, until FROM care
    UNION ALL
    SELECT person.id, care.patient_id, 'supervised', care.until
      FROM person JOIN person supervisor ON supervisor.id = person.supervisor_id JOIN care ON care.person_id = supervisor.id
     WHERE supervisor.role IN ('attending', 'resident') AND NOT supervisor.suspended
    UNION ALL
    SELECT id, patient_id, 'own', 'infinity' FROM person WHERE patient_id IS NOT NULL
    UNION ALL
    SELECT person_id, patient_id, 'glass', until FROM glass WHERE until > now();

-- Who broke it may do more at once, and whoever has to know is told, as of any change of access.
-- +goose StatementBegin
CREATE FUNCTION glass_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'glass' THEN
        PERFORM touch_person(NEW.person_id);
    ELSE
        PERFORM touch_person(NEW.by_id);
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER glass_changes_access AFTER INSERT ON glass FOR EACH ROW EXECUTE FUNCTION glass_changes();
CREATE TRIGGER glass_review_tells AFTER INSERT ON glass_review FOR EACH ROW EXECUTE FUNCTION glass_changes();

-- +goose Down
DROP VIEW tie;
CREATE VIEW tie AS
    SELECT person_id, patient_id, CASE WHEN team THEN 'team' ELSE 'unit' END AS kind, until FROM care
    UNION ALL
    SELECT person.id, care.patient_id, 'supervised', care.until
      FROM person JOIN person supervisor ON supervisor.id = person.supervisor_id JOIN care ON care.person_id = supervisor.id
     WHERE supervisor.role IN ('attending', 'resident') AND NOT supervisor.suspended
    UNION ALL
    SELECT id, patient_id, 'own', 'infinity' FROM person WHERE patient_id IS NOT NULL;
DROP TABLE opening, glass_review, glass;
DROP FUNCTION glass_changes, refuse_own_review, refuse_change;
