-- 0055_phrases: what somebody, or a unit, writes often, to be put into notes by its name.

-- +goose Up
CREATE TABLE phrase (
    id        uuid PRIMARY KEY,
    person_id uuid        REFERENCES person (id), -- whose own it is
    unit_id   text        REFERENCES unit (id),   -- or which unit's
    name      text        NOT NULL CHECK (name ~ '^[a-z][a-z0-9-]{0,29}$'),
    text      bytea       NOT NULL CHECK (octet_length(text) > 33),
    by_id     uuid        NOT NULL REFERENCES person (id), -- who wrote it, or changed it last
    at        timestamptz NOT NULL DEFAULT now(),
    CHECK ((person_id IS NULL) <> (unit_id IS NULL))
);
CREATE UNIQUE INDEX phrase_of_person ON phrase (person_id, name) WHERE person_id IS NOT NULL;
CREATE UNIQUE INDEX phrase_of_unit ON phrase (unit_id, name) WHERE unit_id IS NOT NULL;
COMMENT ON COLUMN phrase.text IS 'Sealed: it belongs to no record, but nobody knows what is pasted into it.';

-- +goose Down
DROP TABLE phrase;
