-- 0059_servers: each server says every few seconds how it does, so that any of them can show all.

-- +goose Up
CREATE UNLOGGED TABLE server_status (
    server   uuid PRIMARY KEY,            -- as in key_holder
    version  text        NOT NULL CHECK (octet_length(version) BETWEEN 1 AND 200),
    began_at timestamptz NOT NULL,
    seen_at  timestamptz NOT NULL DEFAULT now(),
    figures  jsonb       NOT NULL CHECK (pg_column_size(figures) <= 8192)
);
COMMENT ON TABLE server_status IS 'How servers do. A row that is not renewed is of a server that has stopped, or does not reach the database.';

-- +goose Down
DROP TABLE server_status;
