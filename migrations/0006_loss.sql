-- 0006_loss: text that an update removed although its author had not seen it.
-- It happens when somebody types in a paragraph that somebody else turns into a heading. Whose text it was is told, and
-- may put it back. The events follow from note_update alone; they hold no text, only where in the log it is.

-- +goose Up
CREATE TABLE note_loss (
    note_id    uuid     NOT NULL REFERENCES note (id),
    seq        bigint   NOT NULL,          -- the update with which the text was lost
    part       smallint NOT NULL CHECK (part >= 0), -- counts what one update lost
    author_id  uuid     NOT NULL REFERENCES person (id), -- whose text it was
    by_id      uuid     NOT NULL REFERENCES person (id), -- who removed what held it,
    by_seq     bigint   NOT NULL,          -- with this update,
    replaced   boolean  NOT NULL,          -- which put something else there
    first_seq  bigint   NOT NULL,          -- the first update that holds some of the text
    clients    bigint[] NOT NULL,          -- the text: ranges of clocks, in its order
    clocks     bigint[] NOT NULL,
    lengths    bigint[] NOT NULL,
    paragraphs bigint[] NOT NULL,          -- ranges of one number stood in one paragraph
    place_clients bigint[] NOT NULL,       -- elements that held it, inside first
    place_clocks  bigint[] NOT NULL,
    PRIMARY KEY (note_id, seq, part),
    FOREIGN KEY (note_id, seq) REFERENCES note_update (note_id, seq),
    FOREIGN KEY (note_id, by_seq) REFERENCES note_update (note_id, seq)
);
CREATE INDEX note_loss_author ON note_loss (note_id, author_id);
COMMENT ON TABLE note_loss IS 'Derived from the log; rows are added, never changed.';

CREATE TABLE note_loss_settled (
    note_id uuid        NOT NULL,
    seq     bigint      NOT NULL,
    part    smallint    NOT NULL,
    how     text        NOT NULL CHECK (how IN ('restored', 'dismissed')),
    at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (note_id, seq, part),
    FOREIGN KEY (note_id, seq, part) REFERENCES note_loss (note_id, seq, part)
);
COMMENT ON TABLE note_loss_settled IS 'What the author of lost text did about it, once.';

-- Text that an update deleted and brought again, as editors do to split a paragraph: who wrote it first stays its author.
CREATE TABLE note_copy (
    note_id      uuid     NOT NULL,
    seq          bigint   NOT NULL,
    to_clients   bigint[] NOT NULL,        -- elements of the update,
    to_clocks    bigint[] NOT NULL,
    from_clients bigint[] NOT NULL,        -- those they repeat,
    from_clocks  bigint[] NOT NULL,
    lengths      bigint[] NOT NULL,        -- and how many
    PRIMARY KEY (note_id, seq),
    FOREIGN KEY (note_id, seq) REFERENCES note_update (note_id, seq)
);
COMMENT ON TABLE note_copy IS 'Derived from the log; rows are added, never changed.';

CREATE TABLE note_searched (
    note_id uuid PRIMARY KEY REFERENCES note (id),
    seq     bigint NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE note_searched IS 'Up to which update note_loss and note_copy have everything. What comes later is searched when the note is opened.';

CREATE TRIGGER note_loss_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON note_loss
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER note_loss_settled_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON note_loss_settled
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER note_copy_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON note_copy
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();

-- +goose Down
DROP TABLE note_searched, note_copy, note_loss_settled, note_loss;
