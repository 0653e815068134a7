-- How people and programs prove who they are. Tokens are stored hashed: a copy of this table signs nobody in.

-- +goose Up
CREATE TABLE login (
    token      text PRIMARY KEY,           -- SHA-256 of the cookie's token, base64url
    data       bytea       NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX login_expires_at ON login (expires_at);
COMMENT ON TABLE login IS 'Browser logins. Never called sessions: a session is people writing one note.';

CREATE TABLE api_token (
    hash       bytea PRIMARY KEY CHECK (octet_length(hash) = 32), -- SHA-256 of the bearer token
    person_id  uuid        NOT NULL REFERENCES person (id),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);

-- +goose Down
DROP TABLE api_token, login;
