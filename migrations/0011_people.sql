-- 0011_people: whoever runs the server brings people in, and sends them away.

-- +goose Up
-- One at a time: a new invitation voids the one before.
CREATE TABLE invitation (
    person_id  uuid PRIMARY KEY REFERENCES person (id) ON DELETE CASCADE,
    hash       bytea       NOT NULL UNIQUE CHECK (octet_length(hash) = 32), -- SHA-256 of the code
    expires_at timestamptz NOT NULL
);
COMMENT ON TABLE invitation IS 'Whoever has the code may choose a password, once.';

ALTER TABLE login ADD COLUMN person_id uuid REFERENCES person (id) ON DELETE CASCADE;
CREATE INDEX login_person ON login (person_id);

CREATE TABLE device (
    hash      bytea NOT NULL CHECK (octet_length(hash) = 32), -- SHA-256 of the browser's secret
    person_id uuid  NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    seen_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (person_id, hash)
);
CREATE INDEX device_seen_at ON device (seen_at);
COMMENT ON TABLE device IS 'Browsers that somebody has signed in with: what others try elsewhere does not lock these out.';

-- Who is suspended has nothing that works again when they are back.
-- +goose StatementBegin
CREATE FUNCTION end_access() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM login WHERE person_id = NEW.id;
    DELETE FROM api_token WHERE person_id = NEW.id;
    DELETE FROM invitation WHERE person_id = NEW.id;
    DELETE FROM device WHERE person_id = NEW.id;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER suspension_ends_access AFTER UPDATE OF suspended ON person FOR EACH ROW
    WHEN (NEW.suspended AND NOT OLD.suspended) EXECUTE FUNCTION end_access();

-- +goose Down
DROP TRIGGER suspension_ends_access ON person;
DROP FUNCTION end_access;
ALTER TABLE login DROP COLUMN person_id;
DROP TABLE device, invitation;
