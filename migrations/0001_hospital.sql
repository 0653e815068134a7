-- The hospital as the worklist and the unit board need it: where beds are, who lies in them, who works there.
-- Names and identifiers of patients live in columns of their own, so that they can be sealed without touching the rest.

-- +goose Up
CREATE TABLE facility (
    id   text PRIMARY KEY,
    name text NOT NULL
);

CREATE TABLE unit (
    id          text PRIMARY KEY,          -- a short slug: it appears in URLs
    facility_id text NOT NULL REFERENCES facility (id),
    name        text NOT NULL
);

CREATE TABLE bed (
    id       text PRIMARY KEY,
    unit_id  text    NOT NULL REFERENCES unit (id),
    label    text    NOT NULL,
    position integer NOT NULL,             -- the order of a walk through the unit
    UNIQUE (unit_id, position)
);

CREATE TABLE patient (
    id         uuid PRIMARY KEY,
    mrn        text NOT NULL UNIQUE,       -- medical record number
    family     text NOT NULL,
    given      text NOT NULL,
    title      text NOT NULL DEFAULT '',
    birth_date date NOT NULL,
    gender     text NOT NULL,
    allergies  text NOT NULL               -- the banner's wording; absence of data is never "none"
);

CREATE TABLE stay (
    patient_id  uuid PRIMARY KEY REFERENCES patient (id),
    bed_id      text NOT NULL UNIQUE REFERENCES bed (id), -- one patient a bed
    admitted_at timestamptz NOT NULL
);
COMMENT ON TABLE stay IS 'Who lies where now. A discharge removes the row.';

CREATE TABLE person (
    id            uuid PRIMARY KEY,
    username      text     NOT NULL UNIQUE,
    name          text     NOT NULL,
    role          text     NOT NULL CHECK (role IN ('attending', 'resident', 'nurse', 'charge nurse', 'administrator', 'privacy officer')),
    unit_id       text     REFERENCES unit (id),
    color         smallint NOT NULL CHECK (color BETWEEN 0 AND 7), -- index into the author palette
    password_hash text,                                            -- PHC string of argon2id; NULL: no password sign-in
    suspended     boolean  NOT NULL DEFAULT false
);

-- +goose Down
DROP TABLE person, stay, patient, bed, unit, facility;
