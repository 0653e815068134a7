-- 0017_identity: people whom somebody else's server knows (OpenID Connect), and the logins that began there.

-- +goose Up
CREATE TABLE identity (
    issuer     text NOT NULL,
    subject    text NOT NULL,               -- what the issuer calls the person: a name that it never gives again
    person_id  uuid NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    linked_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (issuer, subject),
    UNIQUE (person_id, issuer)
);
COMMENT ON TABLE identity IS 'Made by whoever has an invitation, and never by a sign-in.';

ALTER TABLE login
    ADD COLUMN issuer  text, -- where its person signed in; NULL: here
    ADD COLUMN subject text,
    ADD COLUMN sid     text; -- what the issuer calls that sign-in, if it does
CREATE INDEX login_subject ON login (issuer, subject) WHERE issuer IS NOT NULL;

-- +goose Down
DROP INDEX login_subject;
ALTER TABLE login DROP COLUMN issuer, DROP COLUMN subject, DROP COLUMN sid;
DROP TABLE identity;
