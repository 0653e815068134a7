-- 0018_ticket: a browser opens a socket with a ticket that its page has asked for, once.

-- +goose Up
-- In the database, since another server may take it than the one that gave it. Unlogged: after a crash, pages ask again.
CREATE UNLOGGED TABLE ticket (
    hash       bytea PRIMARY KEY CHECK (octet_length(hash) = 32), -- SHA-256 of the ticket
    login      uuid        NOT NULL REFERENCES login (id) ON DELETE CASCADE,
    note_id    uuid        NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX ticket_login ON ticket (login);
COMMENT ON TABLE ticket IS 'Opens one socket of one login at one note, within half a minute.';

-- +goose Down
DROP TABLE ticket;
