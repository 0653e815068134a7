-- 0014_logoff: a login ends when nobody uses it, and its person finds back to where they were.

-- +goose Up
ALTER TABLE login
    ADD COLUMN input_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN note_id  uuid REFERENCES note (id) ON DELETE SET NULL;
COMMENT ON COLUMN login.input_at IS 'When a person last touched a key or pointer. Requests and sockets do not count.';
COMMENT ON COLUMN login.note_id IS 'The last note that it was in.';

CREATE TABLE resume (
    person_id uuid PRIMARY KEY REFERENCES person (id) ON DELETE CASCADE,
    note_id   uuid        NOT NULL REFERENCES note (id) ON DELETE CASCADE,
    ended_at  timestamptz NOT NULL
);
COMMENT ON TABLE resume IS 'Where somebody was when a login of theirs ended by itself. Their next sign-in leads there, once; nobody else''s does.';

-- +goose Down
DROP TABLE resume;
ALTER TABLE login DROP COLUMN note_id, DROP COLUMN input_at;
