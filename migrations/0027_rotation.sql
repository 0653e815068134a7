-- 0027_rotation: a database has several key-encryption keys while they change. Wrapped data keys lie in one table, whatever they
-- are of, so that one loop wraps them anew and one backup holds them.

-- +goose Up
ALTER TABLE kek ADD COLUMN number integer NOT NULL DEFAULT 1 CHECK (number > 0);
ALTER TABLE kek ALTER number DROP DEFAULT;
DROP INDEX kek_is_one;
CREATE UNIQUE INDEX kek_number ON kek (number);
COMMENT ON TABLE kek IS 'Names the key-encryption keys of this database. A server that does not have all of them is refused.';
COMMENT ON COLUMN kek.number IS 'What is new is wrapped to the key of the highest.';

CREATE TABLE retired_kek (
    id         bytea PRIMARY KEY CHECK (octet_length(id) = 16),
    number     integer     NOT NULL,
    adopted_at timestamptz NOT NULL,
    retired_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE retired_kek IS 'Key-encryption keys that nothing here needs any more. Backups of before do.';

CREATE TABLE sealing (
    is_one boolean PRIMARY KEY DEFAULT true CHECK (is_one),
    notes  boolean NOT NULL
);
INSERT INTO sealing (notes) SELECT EXISTS (SELECT FROM kek WHERE notes_sealed);
COMMENT ON COLUMN sealing.notes IS 'Every note is sealed: rows of the log are never changed any more.';
ALTER TABLE kek DROP COLUMN notes_sealed;

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION refuse_resealing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM kek) OR EXISTS (SELECT FROM sealing WHERE notes) THEN
        RAISE EXCEPTION 'the log of a note is append-only' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd

CREATE TABLE data_key (
    scope      smallint    NOT NULL CHECK (scope IN (1, 2)), -- as server/vault numbers them: 1 of a person, 2 of a note
    owner      uuid        NOT NULL,                          -- whose
    epoch      integer     NOT NULL CHECK (epoch > 0),        -- what it sealed says so, too
    from_seq   bigint      NOT NULL CHECK (from_seq > 0),     -- of a note: its next row when it was made; else 1
    kek        bytea       NOT NULL REFERENCES kek (id),
    wrapped    bytea       NOT NULL,
    commitment bytea       NOT NULL CHECK (octet_length(commitment) = 32),
    tag        bytea       NOT NULL CHECK (octet_length(tag) = 32),
    made_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (scope, owner, epoch)
);
CREATE INDEX data_key_kek ON data_key (kek);
INSERT INTO data_key SELECT 1, person_id, epoch, 1, kek, wrapped, commitment, tag, made_at FROM person_key;
INSERT INTO data_key SELECT 2, note_id, epoch, from_seq, kek, wrapped, commitment, tag, made_at FROM note_key;
DROP TABLE person_key, note_key;
COMMENT ON TABLE data_key IS 'Wrapped data keys. Of a note, the newest seals what is new; of a person, each seals one secret and goes with it. Without one, what it sealed is gone.';

CREATE UNLOGGED TABLE key_holder (
    server  uuid PRIMARY KEY,
    keys    bytea[]     NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE key_holder IS 'Which key-encryption keys each running server has. Nothing is wrapped to one that some have not.';

-- +goose Down
-- +goose StatementBegin
DO $$ BEGIN
    IF (SELECT count(*) FROM kek) > 1 THEN RAISE EXCEPTION 'keys are being rotated; wrap all data keys to one and retire the others first'; END IF;
END $$;
-- +goose StatementEnd
DROP TABLE key_holder;
CREATE TABLE person_key (
    person_id  uuid        NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    epoch      integer     NOT NULL CHECK (epoch > 0), -- what it sealed says so, too
    kek        bytea       NOT NULL REFERENCES kek (id),
    wrapped    bytea       NOT NULL,
    commitment bytea       NOT NULL CHECK (octet_length(commitment) = 32),
    tag        bytea       NOT NULL CHECK (octet_length(tag) = 32),
    made_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (person_id, epoch)
);
COMMENT ON TABLE person_key IS 'Wrapped data keys of people: a new one for each secret, gone with it, so that an old row opens nothing.';
CREATE TABLE note_key (
    note_id    uuid        NOT NULL REFERENCES note (id),
    epoch      integer     NOT NULL CHECK (epoch > 0),
    from_seq   bigint      NOT NULL CHECK (from_seq > 0), -- the note's next row when it was made
    kek        bytea       NOT NULL REFERENCES kek (id),
    wrapped    bytea       NOT NULL,
    commitment bytea       NOT NULL CHECK (octet_length(commitment) = 32),
    tag        bytea       NOT NULL CHECK (octet_length(tag) = 32),
    made_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (note_id, epoch)
);
COMMENT ON TABLE note_key IS 'Wrapped data keys of notes. The newest seals what is new; without one of them what it sealed is gone.';
INSERT INTO person_key SELECT owner, epoch, kek, wrapped, commitment, tag, made_at FROM data_key WHERE scope = 1;
INSERT INTO note_key SELECT owner, epoch, from_seq, kek, wrapped, commitment, tag, made_at FROM data_key WHERE scope = 2;
DROP TABLE data_key;
ALTER TABLE kek ADD COLUMN notes_sealed boolean NOT NULL DEFAULT false;
UPDATE kek SET notes_sealed = (SELECT notes FROM sealing);
COMMENT ON COLUMN kek.notes_sealed IS 'Every note is: rows of the log are never changed any more.';
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION refuse_resealing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM kek WHERE NOT notes_sealed) THEN
        RAISE EXCEPTION 'the log of a note is append-only' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
DROP TABLE sealing, retired_kek;
DROP INDEX kek_number;
ALTER TABLE kek DROP COLUMN number;
CREATE UNIQUE INDEX kek_is_one ON kek ((true));
COMMENT ON TABLE kek IS 'Names the key-encryption key of this database: the first that a server was started with. A server with another is refused.';
