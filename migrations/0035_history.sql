-- 0035_history: who looks at a note as it was has opened it.

-- +goose Up
ALTER TABLE opening DROP CONSTRAINT opening_how_check,
    ADD CONSTRAINT opening_how_check CHECK (how IN ('page', 'editor', 'api', 'denied', 'glass', 'accesses', 'export', 'history'));
