-- 0010_fold: rows of the log that are old become bursts, without loss.
-- A keystroke's row is some thirty bytes and five times as many around them. A burst holds a run of rows, consecutive ones
-- of one person in one session, packed (sessions/burst.go): each comes back with its seq, time and bytes. Only rows leave
-- note_update that a burst holds: the database computes their checksum itself.

-- +goose Up
CREATE TABLE note_burst (
    note_id    uuid        NOT NULL REFERENCES note (id),
    first_seq  bigint      NOT NULL CHECK (first_seq > 0),
    last_seq   bigint      NOT NULL CHECK (last_seq >= first_seq),
    author_id  uuid        NOT NULL REFERENCES person (id),
    session_id uuid        REFERENCES session (id),
    last_at    timestamptz NOT NULL,           -- of its newest row
    data       bytea       NOT NULL,
    sum        bytea       NOT NULL CHECK (octet_length(sum) = 32), -- SHA-256 of what the rows hold
    folded_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (note_id, first_seq)
);
CREATE INDEX note_burst_session ON note_burst (session_id, author_id) WHERE session_id IS NOT NULL;
COMMENT ON TABLE note_burst IS 'The older part of the log: rows are added, never changed.';
CREATE TRIGGER note_burst_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON note_burst
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();

CREATE TABLE note_fold (
    note_id uuid PRIMARY KEY REFERENCES note (id),
    seq     bigint NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE note_fold IS 'Up to which seq folding has looked. Whoever folds a note holds the lock of its row.';

COMMENT ON TABLE note_update IS 'The newer part of the log: rows are added, never changed, and go only where note_burst holds them.';

-- What was lost and moved is about seqs, whichever table has them; when it was lost, it says itself.
ALTER TABLE note_loss
    DROP CONSTRAINT note_loss_note_id_seq_fkey,
    DROP CONSTRAINT note_loss_note_id_by_seq_fkey,
    ADD COLUMN at timestamptz;
ALTER TABLE note_loss DISABLE TRIGGER note_loss_is_append_only;
UPDATE note_loss SET at = (SELECT at FROM note_update WHERE note_update.note_id = note_loss.note_id AND note_update.seq = note_loss.seq);
ALTER TABLE note_loss ENABLE TRIGGER note_loss_is_append_only, ALTER COLUMN at SET NOT NULL;
ALTER TABLE note_copy
    DROP CONSTRAINT note_copy_note_id_seq_fkey,
    ADD CONSTRAINT note_copy_note_id_fkey FOREIGN KEY (note_id) REFERENCES note (id);

-- +goose StatementBegin
CREATE FUNCTION keep_log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM gone
          LEFT JOIN note_burst b ON b.note_id = gone.note_id AND gone.seq BETWEEN b.first_seq AND b.last_seq
         GROUP BY b.note_id, b.first_seq, b.author_id, b.session_id, b.sum
        HAVING b.note_id IS NULL
            OR bool_or(gone.author_id <> b.author_id OR gone.session_id IS DISTINCT FROM b.session_id)
            OR sha256(string_agg(int8send(gone.seq) || timestamptz_send(gone.at) || int4send(octet_length(gone.data)) || gone.data, ''::bytea ORDER BY gone.seq)) <> b.sum
    ) THEN
        RAISE EXCEPTION 'the log of a note is append-only: no burst holds this' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
DROP TRIGGER note_update_is_append_only ON note_update;
CREATE TRIGGER note_update_is_append_only BEFORE UPDATE OR TRUNCATE ON note_update
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER note_update_is_folded_only AFTER DELETE ON note_update REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION keep_log();

-- +goose Down
-- Bursts hold rows that nothing else has.
-- +goose StatementBegin
DO $$ BEGIN
    IF EXISTS (SELECT FROM note_burst) THEN RAISE EXCEPTION 'the log of some notes is folded'; END IF;
END $$;
-- +goose StatementEnd
DROP TRIGGER note_update_is_folded_only ON note_update;
DROP TRIGGER note_update_is_append_only ON note_update;
CREATE TRIGGER note_update_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON note_update
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
DROP FUNCTION keep_log;
ALTER TABLE note_copy
    DROP CONSTRAINT note_copy_note_id_fkey,
    ADD CONSTRAINT note_copy_note_id_seq_fkey FOREIGN KEY (note_id, seq) REFERENCES note_update (note_id, seq);
ALTER TABLE note_loss
    DROP COLUMN at,
    ADD CONSTRAINT note_loss_note_id_seq_fkey FOREIGN KEY (note_id, seq) REFERENCES note_update (note_id, seq),
    ADD CONSTRAINT note_loss_note_id_by_seq_fkey FOREIGN KEY (note_id, by_seq) REFERENCES note_update (note_id, seq);
COMMENT ON TABLE note_update IS 'The log: rows are added, never changed.';
DROP TABLE note_fold, note_burst;
