-- 0047_stretches: what each person of a session wrote, counted behind the log, so that nobody decodes it to look at a page.

-- +goose Up
-- A run of edits of one person in one session, none five minutes after the one before.
CREATE TABLE stretch (
    session_id uuid        NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    person_id  uuid        NOT NULL REFERENCES person (id),
    first_seq  bigint      NOT NULL CHECK (first_seq > 0),
    last_seq   bigint      NOT NULL CHECK (last_seq >= first_seq),
    first_at   timestamptz NOT NULL,
    last_at    timestamptz NOT NULL,
    edits      bigint      NOT NULL CHECK (edits > 0),
    -- Text, in UTF-16 units and in words. What an editor moves is in none of them.
    typed         bigint NOT NULL,
    typed_words   bigint NOT NULL,
    pasted        bigint NOT NULL,
    pasted_words  bigint NOT NULL,
    deleted       bigint NOT NULL,
    deleted_words bigint NOT NULL,
    PRIMARY KEY (session_id, person_id, first_seq)
) WITH (fillfactor = 80);                  -- the newest of each person grows
COMMENT ON TABLE stretch IS 'Derived from the log (sessions/tally); safe to delete together with note_counted, after which all is counted again.';

CREATE TABLE note_counted (
    note_id uuid PRIMARY KEY REFERENCES note (id) ON DELETE CASCADE,
    seq     bigint NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE note_counted IS 'Up to which update stretch has everything. Whoever counts a note holds the lock of its row.';

ALTER TABLE session
    ADD COLUMN counted boolean NOT NULL DEFAULT false,
    ADD COLUMN words   bigint  NOT NULL DEFAULT 0;
COMMENT ON COLUMN session.counted IS 'It has ended, and stretch has all of it.';
COMMENT ON COLUMN session.words IS 'Typed and pasted in it, by all; to sort by.';
CREATE INDEX session_to_count ON session (note_id) WHERE NOT counted;

-- +goose Down
ALTER TABLE session DROP COLUMN counted, DROP COLUMN words;
DROP TABLE note_counted, stretch;
