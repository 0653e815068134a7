-- 0023_vault: secrets by which people sign in are sealed (server/vault).
-- What seals them is in neither the database nor its log: the server has it in a file.

-- +goose Up
CREATE TABLE kek (
    id         bytea PRIMARY KEY CHECK (octet_length(id) = 16),
    adopted_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX kek_is_one ON kek ((true));
COMMENT ON TABLE kek IS 'Names the key-encryption key of this database: the first that a server was started with. A server with another is refused.';

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

-- Secrets of before are sealed by the first server that starts with a key, in the transaction that adopts it
-- (server/store/apps.go); until then their rows cannot be changed. A secret has 20 bytes, a sealed one 53.
ALTER TABLE totp ADD CONSTRAINT totp_is_sealed CHECK (octet_length(secret) > 20 AND octet_length(pending) > 20) NOT VALID;
COMMENT ON TABLE totp IS 'Apps that make codes (RFC 6238). Secrets are sealed and not hashed, since both sides compute with them.';

-- +goose Down
-- Nothing else can open what is sealed.
-- +goose StatementBegin
DO $$ BEGIN
    IF EXISTS (SELECT FROM person_key) THEN RAISE EXCEPTION 'secrets of some people are sealed'; END IF;
END $$;
-- +goose StatementEnd
ALTER TABLE totp DROP CONSTRAINT totp_is_sealed;
COMMENT ON TABLE totp IS 'Apps that make codes (RFC 6238). Secrets are not hashed, since both sides compute with them.';
DROP TABLE person_key, kek;
