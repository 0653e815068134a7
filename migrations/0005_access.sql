-- 0005_access: whatever changes who may do what is told to every server at once (I9).
-- A server that listens on the channel "access" hears, with the commit of the change, its version and whom it concerns:
--   17 person 9f0c…   role, unit or suspension
--   18 login qL3…     a login or token ended early; named by the hash of its secret, base64url
--   19 note 51aa…     the note was signed, or opened again
--   20 all            more than can be said
-- version counts the changes, so that who did not listen for a while knows whether it missed one.

-- +goose Up
CREATE TABLE access_version (
    single  boolean PRIMARY KEY DEFAULT true CHECK (single), -- one row
    version bigint  NOT NULL DEFAULT 0
);
INSERT INTO access_version DEFAULT VALUES;
COMMENT ON TABLE access_version IS 'Moves with every change of who may do what, in the transaction of the change.';

-- +goose StatementBegin
CREATE FUNCTION tell_access() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    now_at  bigint;
    subject text := 'all';
BEGIN
    IF TG_LEVEL = 'ROW' THEN
        subject := TG_ARGV[0] || ' ' || CASE TG_TABLE_NAME
            WHEN 'login'     THEN to_jsonb(OLD)->>'token'
            WHEN 'api_token' THEN rtrim(translate(encode(decode(substr(to_jsonb(OLD)->>'hash', 3), 'hex'), 'base64'), '+/', '-_'), '=')
            ELSE to_jsonb(OLD)->>'id'
        END;
    END IF;
    UPDATE access_version SET version = version + 1 RETURNING version INTO now_at;
    PERFORM pg_notify('access', now_at || ' ' || subject);
    RETURN NULL;
END $$;
-- +goose StatementEnd

CREATE TRIGGER person_changes_access AFTER UPDATE OF role, unit_id, suspended ON person FOR EACH ROW
    WHEN ((OLD.role, OLD.unit_id, OLD.suspended) IS DISTINCT FROM (NEW.role, NEW.unit_id, NEW.suspended))
    EXECUTE FUNCTION tell_access('person');
CREATE TRIGGER person_ends_access AFTER DELETE ON person FOR EACH ROW EXECUTE FUNCTION tell_access('person');

-- What has expired ends by itself: servers know when.
CREATE TRIGGER login_ends_access AFTER DELETE ON login FOR EACH ROW
    WHEN (OLD.expires_at > now()) EXECUTE FUNCTION tell_access('login');
CREATE TRIGGER login_shortens_access AFTER UPDATE OF expires_at ON login FOR EACH ROW
    WHEN (NEW.expires_at < OLD.expires_at) EXECUTE FUNCTION tell_access('login');
CREATE TRIGGER login_truncates_access AFTER TRUNCATE ON login FOR EACH STATEMENT EXECUTE FUNCTION tell_access();
CREATE TRIGGER token_ends_access AFTER DELETE ON api_token FOR EACH ROW
    WHEN (OLD.expires_at > now()) EXECUTE FUNCTION tell_access('login');
CREATE TRIGGER token_shortens_access AFTER UPDATE OF expires_at ON api_token FOR EACH ROW
    WHEN (NEW.expires_at < OLD.expires_at) EXECUTE FUNCTION tell_access('login');
CREATE TRIGGER token_truncates_access AFTER TRUNCATE ON api_token FOR EACH STATEMENT EXECUTE FUNCTION tell_access();

CREATE TRIGGER note_changes_access AFTER UPDATE OF state ON note FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION tell_access('note');

-- +goose Down
DROP TRIGGER note_changes_access ON note;
DROP TRIGGER token_truncates_access ON api_token;
DROP TRIGGER token_shortens_access ON api_token;
DROP TRIGGER token_ends_access ON api_token;
DROP TRIGGER login_truncates_access ON login;
DROP TRIGGER login_shortens_access ON login;
DROP TRIGGER login_ends_access ON login;
DROP TRIGGER person_ends_access ON person;
DROP TRIGGER person_changes_access ON person;
DROP FUNCTION tell_access;
DROP TABLE access_version;
