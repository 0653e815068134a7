-- 0029_sealed_patients: who a patient is, and words about an emergency access, are sealed (server/vault). A patient is found by number
-- through a keyed hash of it. What is of before waits in tables of its own for the first server that starts with a key
-- (server/store/sealpatients.go), which empties them; the tables that it came from are written anew then.

-- +goose Up
ALTER TABLE data_key DROP CONSTRAINT data_key_scope_check,
    ADD CONSTRAINT data_key_scope_check CHECK (scope IN (1, 2, 3, 4)); -- 3 of a patient, 4 of the hospital
ALTER TABLE sealing ADD COLUMN patients boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN sealing.patients IS 'Every patient is sealed.';

CREATE TABLE patient_in_clear (
    id         uuid PRIMARY KEY REFERENCES patient (id),
    mrn        text NOT NULL,
    family     text NOT NULL,
    given      text NOT NULL,
    title      text NOT NULL,
    birth_date date NOT NULL,
    gender     text NOT NULL,
    allergies  text NOT NULL
);
INSERT INTO patient_in_clear SELECT id, mrn, family, given, title, birth_date, gender, allergies FROM patient;
COMMENT ON TABLE patient_in_clear IS 'Patients of a version before, until they are sealed; empty ever after.';
ALTER TABLE patient
    DROP COLUMN mrn, DROP COLUMN family, DROP COLUMN given, DROP COLUMN title, DROP COLUMN birth_date, DROP COLUMN gender, DROP COLUMN allergies,
    ADD COLUMN sealed    bytea NOT NULL DEFAULT '',
    ADD COLUMN mrn_index bytea UNIQUE CHECK (octet_length(mrn_index) = 32);
ALTER TABLE patient ALTER sealed DROP DEFAULT,
    ADD CONSTRAINT patient_is_sealed CHECK (octet_length(sealed) > 33 AND mrn_index IS NOT NULL) NOT VALID;
COMMENT ON COLUMN patient.sealed IS 'Number, names, date of birth, gender and allergies, sealed for this patient.';
COMMENT ON COLUMN patient.mrn_index IS 'Keyed hash of the medical record number: it finds a number, and tells none.';

CREATE TABLE words_in_clear (
    glass_id uuid    NOT NULL REFERENCES glass (id),
    review   boolean NOT NULL,
    words    text    NOT NULL,
    PRIMARY KEY (glass_id, review)
);
INSERT INTO words_in_clear SELECT id, false, words FROM glass UNION ALL SELECT glass_id, true, words FROM glass_review;
COMMENT ON TABLE words_in_clear IS 'Words of a version before, until they are sealed; empty ever after.';
ALTER TABLE glass DROP COLUMN words, ADD COLUMN words bytea NOT NULL DEFAULT '';
ALTER TABLE glass ALTER words DROP DEFAULT, ADD CONSTRAINT glass_is_sealed CHECK (octet_length(words) > 33) NOT VALID;
ALTER TABLE glass_review DROP COLUMN words, ADD COLUMN words bytea NOT NULL DEFAULT '';
ALTER TABLE glass_review ALTER words DROP DEFAULT, ADD CONSTRAINT glass_review_is_sealed CHECK (octet_length(words) > 33) NOT VALID;
COMMENT ON COLUMN glass.words IS 'Why, sealed for the patient.';
COMMENT ON COLUMN glass_review.words IS 'What somebody else said to it, sealed for the patient.';

-- +goose StatementBegin
CREATE FUNCTION refuse_resealing_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM kek) OR EXISTS (SELECT FROM sealing WHERE patients) THEN
        RAISE EXCEPTION 'the record of accesses is append-only' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
DROP TRIGGER glass_is_append_only ON glass;
DROP TRIGGER glass_review_is_append_only ON glass_review;
CREATE TRIGGER glass_is_append_only BEFORE DELETE OR TRUNCATE ON glass FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER glass_review_is_append_only BEFORE DELETE OR TRUNCATE ON glass_review FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER glass_is_sealed_once BEFORE UPDATE ON glass FOR EACH STATEMENT EXECUTE FUNCTION refuse_resealing_words();
CREATE TRIGGER glass_review_is_sealed_once BEFORE UPDATE ON glass_review FOR EACH STATEMENT EXECUTE FUNCTION refuse_resealing_words();

-- +goose Down
-- Nothing else can open what is sealed.
-- +goose StatementBegin
DO $$ BEGIN
    IF EXISTS (SELECT FROM data_key WHERE scope IN (3, 4)) OR EXISTS (SELECT FROM patient WHERE octet_length(sealed) > 0) THEN
        RAISE EXCEPTION 'some patients are sealed';
    END IF;
END $$;
-- +goose StatementEnd
DROP TRIGGER glass_is_sealed_once ON glass;
DROP TRIGGER glass_review_is_sealed_once ON glass_review;
DROP TRIGGER glass_is_append_only ON glass;
DROP TRIGGER glass_review_is_append_only ON glass_review;
DROP FUNCTION refuse_resealing_words;
ALTER TABLE glass DROP COLUMN words, ADD COLUMN words text NOT NULL DEFAULT '';
ALTER TABLE glass_review DROP COLUMN words, ADD COLUMN words text NOT NULL DEFAULT '' CHECK (length(words) <= 500);
UPDATE glass SET words = w.words FROM words_in_clear w WHERE w.glass_id = glass.id AND NOT w.review;
UPDATE glass_review SET words = w.words FROM words_in_clear w WHERE w.glass_id = glass_review.glass_id AND w.review;
ALTER TABLE glass ALTER words DROP DEFAULT, ADD CHECK (length(words) BETWEEN 10 AND 500);
ALTER TABLE glass_review ALTER words DROP DEFAULT;
DROP TABLE words_in_clear;
CREATE TRIGGER glass_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON glass FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER glass_review_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON glass_review FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE patient
    DROP COLUMN sealed, DROP COLUMN mrn_index,
    ADD COLUMN mrn text UNIQUE, ADD COLUMN family text, ADD COLUMN given text, ADD COLUMN title text NOT NULL DEFAULT '',
    ADD COLUMN birth_date date, ADD COLUMN gender text, ADD COLUMN allergies text;
UPDATE patient SET mrn = c.mrn, family = c.family, given = c.given, title = c.title, birth_date = c.birth_date, gender = c.gender, allergies = c.allergies
  FROM patient_in_clear c WHERE c.id = patient.id;
ALTER TABLE patient ALTER mrn SET NOT NULL, ALTER family SET NOT NULL, ALTER given SET NOT NULL, ALTER birth_date SET NOT NULL, ALTER gender SET NOT NULL,
    ALTER allergies SET NOT NULL;
DROP TABLE patient_in_clear;
ALTER TABLE sealing DROP COLUMN patients;
ALTER TABLE data_key DROP CONSTRAINT data_key_scope_check, ADD CONSTRAINT data_key_scope_check CHECK (scope IN (1, 2));
