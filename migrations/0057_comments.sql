-- 0057_comments: what people say to each other about a draft, in threads. It is no part of the note.

-- +goose Up
CREATE TABLE thread (
    id      uuid PRIMARY KEY,
    note_id uuid        NOT NULL REFERENCES note (id),
    by_id   uuid        NOT NULL REFERENCES person (id),
    quote   bytea       CHECK (octet_length(quote) BETWEEN 34 AND 32768), -- the text that it is about, as it was; NULL: it is about the whole note
    place   bytea       CHECK (octet_length(place) BETWEEN 34 AND 65536), -- where that text stands now
    at      timestamptz NOT NULL DEFAULT now(),
    CHECK ((quote IS NULL) = (place IS NULL))
);
CREATE INDEX thread_note ON thread (note_id, at);
COMMENT ON TABLE thread IS 'Sealed for the note, as what is said in it: it goes with it. Of a thread only its place changes, when an edit moves the text.';

CREATE TABLE thread_act (
    thread_id uuid        NOT NULL REFERENCES thread (id),
    n         integer     NOT NULL CHECK (n > 0),  -- per thread: 1, 2, 3, without a gap
    note_id   uuid        NOT NULL REFERENCES note (id),
    by_id     uuid        NOT NULL REFERENCES person (id),
    act       text        NOT NULL CHECK (act IN ('said', 'changed', 'removed', 'resolved', 'reopened')),
    of_n      integer     CHECK (of_n < n),        -- the comment that was changed or removed
    words     bytea       CHECK (octet_length(words) BETWEEN 34 AND 32768),
    at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (thread_id, n),
    CHECK ((act IN ('said', 'changed')) = (words IS NOT NULL) AND (act IN ('changed', 'removed')) = (of_n IS NOT NULL))
);
CREATE INDEX thread_act_note ON thread_act (note_id);
COMMENT ON TABLE thread_act IS 'What was said in a thread, and done with it. Rows are added, never changed: what somebody takes back stays on record.';

CREATE TRIGGER thread_is_kept BEFORE UPDATE OF id, note_id, by_id, quote, at ON thread FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER thread_is_not_emptied BEFORE TRUNCATE ON thread FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER thread_is_purged_only AFTER DELETE ON thread REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION keep_unless_purged();
CREATE TRIGGER thread_act_is_append_only BEFORE UPDATE OR TRUNCATE ON thread_act FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER thread_act_is_purged_only AFTER DELETE ON thread_act REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION keep_unless_purged();

-- +goose Down
-- +goose StatementBegin
DO $$ BEGIN
    IF EXISTS (SELECT FROM thread) THEN RAISE EXCEPTION 'there are comments on notes'; END IF;
END $$;
-- +goose StatementEnd
DROP TABLE thread_act, thread;
