-- 0022_told: who has to know that somebody broke the glass, beside those where the patient lies; and who has looked at it.
-- The channel of migration 0005 has one more kind of line:
--   21 glass          it was broken, reviewed or looked at, which alone changes nobody's access

-- +goose Up
ALTER TABLE glass
    ADD COLUMN works_in      text[] NOT NULL DEFAULT '{}',
    ADD COLUMN supervisor_id uuid REFERENCES person (id);
COMMENT ON COLUMN glass.works_in IS 'The units where who broke it worked then, whose charge nurses are told.';
COMMENT ON COLUMN glass.supervisor_id IS 'Under whom they worked then, who is told.';
CREATE INDEX glass_supervisor ON glass (supervisor_id) WHERE supervisor_id IS NOT NULL;

CREATE VIEW glass_tie AS
    SELECT glass.id AS glass_id, duty.person_id, 'unit' AS kind FROM glass JOIN duty ON duty.unit_id = glass.unit_id
    UNION ALL
    SELECT glass.id, duty.person_id, 'answers'
      FROM glass JOIN duty ON duty.unit_id = ANY (glass.works_in) JOIN person ON person.id = duty.person_id
     WHERE person.role = 'charge nurse'
    UNION ALL
    SELECT id, supervisor_id, 'answers' FROM glass WHERE supervisor_id IS NOT NULL;
COMMENT ON VIEW glass_tie IS 'What a person has to do now with broken glass. Package access says what follows from it.';

CREATE TABLE glass_look (
    glass_id  uuid        NOT NULL REFERENCES glass (id),
    person_id uuid        NOT NULL REFERENCES person (id),
    at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (glass_id, person_id)
);
COMMENT ON TABLE glass_look IS 'Who of those who have to know has looked at broken glass, and when first. Until then pages tell them.';
CREATE TRIGGER glass_look_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON glass_look FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- +goose StatementBegin
CREATE FUNCTION tell_glass() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    now_at bigint;
BEGIN
    IF EXISTS (SELECT FROM added) THEN
        UPDATE access_version SET version = version + 1 RETURNING version INTO now_at;
        PERFORM pg_notify('access', now_at || ' glass');
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER glass_tells AFTER INSERT ON glass REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION tell_glass();
DROP TRIGGER glass_review_tells ON glass_review;
CREATE TRIGGER glass_review_tells AFTER INSERT ON glass_review REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION tell_glass();
CREATE TRIGGER glass_look_tells AFTER INSERT ON glass_look REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION tell_glass();

-- Who broke it may do more at once.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION glass_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM touch_person(NEW.person_id);
    RETURN NULL;
END $$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION glass_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'glass' THEN
        PERFORM touch_person(NEW.person_id);
    ELSE
        PERFORM touch_person(NEW.by_id);
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
DROP TABLE glass_look;
DROP TRIGGER glass_review_tells ON glass_review;
CREATE TRIGGER glass_review_tells AFTER INSERT ON glass_review FOR EACH ROW EXECUTE FUNCTION glass_changes();
DROP TRIGGER glass_tells ON glass;
DROP FUNCTION tell_glass;
DROP VIEW glass_tie;
ALTER TABLE glass DROP COLUMN supervisor_id, DROP COLUMN works_in;
