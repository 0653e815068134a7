-- 0064_compared: when a note was last compared with the patient's earlier ones, so that it is known without reading its log whether
-- anything was pasted since.

-- +goose Up
ALTER TABLE note_compared ADD COLUMN at timestamptz NOT NULL DEFAULT now();

-- +goose Down
ALTER TABLE note_compared DROP COLUMN at;
