-- 0004_writers: whose each Yjs client id is, and how far it has written (I3).
-- A client id belongs to the person who first wrote under it in a note. A row of note_update is only inserted if the
-- clocks it claims begin where the writer's end, under the note's row lock: no two texts can share (client, clock),
-- whichever tabs, nodes or replayed frames they come from.

-- +goose Up
CREATE TABLE writer (
    note_id    uuid   NOT NULL REFERENCES note (id),
    client_id  bigint NOT NULL CHECK (client_id BETWEEN 0 AND 9007199254740991), -- Yjs: at most 2^53 - 1
    person_id  uuid   NOT NULL REFERENCES person (id),
    next_clock bigint NOT NULL CHECK (next_clock BETWEEN 1 AND 4294967296),      -- UTF-16 units written, deleted ones too
    PRIMARY KEY (note_id, client_id)
) WITH (fillfactor = 50);                  -- next_clock moves with every commit: leave room for HOT updates
COMMENT ON TABLE writer IS 'Binds Yjs client ids to people. Rows are never deleted: an id stays its first writer''s.';

-- +goose Down
DROP TABLE writer;
