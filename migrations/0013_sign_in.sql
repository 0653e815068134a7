-- 0013_sign_in: a login knows when its person last proved who they are, and people have more than a password for that.

-- +goose Up
-- A login has a name that stays when its secret is renewed: sockets, and whoever ends it, go by that.
ALTER TABLE login
    ADD COLUMN id        uuid        NOT NULL DEFAULT gen_random_uuid() UNIQUE,
    ADD COLUMN browser   text        NOT NULL DEFAULT '',    -- which, in words: for its owner
    ADD COLUMN began_at  timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN seen_at   timestamptz NOT NULL DEFAULT now(), -- to the minute
    ADD COLUMN proven_at timestamptz NOT NULL DEFAULT 'epoch';

-- +goose StatementBegin
CREATE FUNCTION tell_login() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    now_at bigint;
BEGIN
    UPDATE access_version SET version = version + 1 RETURNING version INTO now_at;
    PERFORM pg_notify('access', now_at || ' login ' || OLD.id);
    RETURN NULL;
END $$;
-- +goose StatementEnd
DROP TRIGGER login_ends_access ON login;
DROP TRIGGER login_shortens_access ON login;
CREATE TRIGGER login_ends_access AFTER DELETE ON login FOR EACH ROW
    WHEN (OLD.expires_at > now()) EXECUTE FUNCTION tell_login();
CREATE TRIGGER login_shortens_access AFTER UPDATE OF expires_at ON login FOR EACH ROW
    WHEN (NEW.expires_at < OLD.expires_at) EXECUTE FUNCTION tell_login();

CREATE TABLE totp (
    person_id  uuid PRIMARY KEY REFERENCES person (id) ON DELETE CASCADE,
    secret     bytea,                       -- NULL until a code of it was right
    step       bigint NOT NULL DEFAULT 0,   -- the newest that was used: none is used twice
    pending    bytea,                       -- shown to its owner, and not confirmed yet
    pending_at timestamptz,
    CHECK ((pending IS NULL) = (pending_at IS NULL))
);
COMMENT ON TABLE totp IS 'Apps that make codes (RFC 6238). Secrets are not hashed, since both sides compute with them.';

CREATE TABLE recovery_code (
    person_id uuid  NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    hash      bytea NOT NULL CHECK (octet_length(hash) = 32), -- SHA-256 of the code
    PRIMARY KEY (person_id, hash)
);
COMMENT ON TABLE recovery_code IS 'Each stands once for a code of the app.';

CREATE TABLE passkey (
    id              bytea PRIMARY KEY CHECK (octet_length(id) BETWEEN 1 AND 1023), -- the credential id of WebAuthn
    person_id       uuid        NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    public_key      bytea       NOT NULL,               -- COSE
    aaguid          bytea       NOT NULL,
    transports      text[]      NOT NULL,
    sign_count      bigint      NOT NULL,
    backup_eligible boolean     NOT NULL,               -- may be copied to other devices; never changes
    backed_up       boolean     NOT NULL,
    name            text        NOT NULL,               -- for its owner
    created_at      timestamptz NOT NULL DEFAULT now(),
    used_at         timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX passkey_person ON passkey (person_id);

CREATE TABLE ceremony (
    hash       bytea PRIMARY KEY CHECK (octet_length(hash) = 32), -- SHA-256 of the secret in the browser's cookie
    kind       text        NOT NULL,
    data       bytea       NOT NULL CHECK (octet_length(data) <= 16384),
    expires_at timestamptz NOT NULL
);
CREATE INDEX ceremony_expires_at ON ceremony (expires_at);
COMMENT ON TABLE ceremony IS 'What the server asked a browser to prove, until it answers: once.';

-- +goose Down
DROP TABLE ceremony, passkey, recovery_code, totp;
DROP TRIGGER login_ends_access ON login;
DROP TRIGGER login_shortens_access ON login;
CREATE TRIGGER login_ends_access AFTER DELETE ON login FOR EACH ROW
    WHEN (OLD.expires_at > now()) EXECUTE FUNCTION tell_access('login');
CREATE TRIGGER login_shortens_access AFTER UPDATE OF expires_at ON login FOR EACH ROW
    WHEN (NEW.expires_at < OLD.expires_at) EXECUTE FUNCTION tell_access('login');
DROP FUNCTION tell_login;
ALTER TABLE login DROP COLUMN id, DROP COLUMN browser, DROP COLUMN began_at, DROP COLUMN seen_at, DROP COLUMN proven_at;
