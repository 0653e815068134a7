-- 0044_copies: who takes a copy of a note, on paper or as a file, has opened it.

-- +goose Up
ALTER TABLE opening DROP CONSTRAINT opening_how_check,
    ADD CONSTRAINT opening_how_check CHECK (how IN ('page', 'editor', 'api', 'denied', 'glass', 'accesses', 'export', 'history', 'print', 'file'));

-- +goose Down
ALTER TABLE opening DROP CONSTRAINT opening_how_check,
    ADD CONSTRAINT opening_how_check CHECK (how IN ('page', 'editor', 'api', 'denied', 'glass', 'accesses', 'export', 'history')) NOT VALID;
