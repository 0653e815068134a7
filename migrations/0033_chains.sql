-- 0033_chains: each note's log is a chain of hashes, whose end the log of acts has (docs/adr/0008-chains-of-notes.md).
-- A row's link is a keyed hash of the link before it and of what the row says. note.chain is that of the newest row. Entries of the
-- log of acts with "head=… chain=…" in their code say how far a note's log had come, so that an earlier state of it, put back,
-- does not pass for the note.

-- +goose Up
ALTER TABLE note ADD COLUMN chain bytea CHECK (octet_length(chain) = 32);
COMMENT ON COLUMN note.chain IS 'The link of the newest row; NULL: there is none, or a server is about to compute it (server/store/chainnotes.go).';
ALTER TABLE sealing ADD COLUMN chains boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN sealing.chains IS 'Every note has its chain.';

-- One probe finds what the log of acts says of a note.
CREATE INDEX audit_event_anchor ON audit_event (note_id, (substring(code FROM 'head=([0-9]{1,18}) chain=')::bigint) DESC NULLS LAST, n DESC)
 WHERE code LIKE '%chain=%';
CREATE INDEX audit_event_restore ON audit_event (note_id, n) WHERE act = 'note.restore';

-- +goose Down
DROP INDEX audit_event_restore;
DROP INDEX audit_event_anchor;
DELETE FROM note_base; -- they begin with their link; the log is the truth
ALTER TABLE sealing DROP COLUMN chains;
ALTER TABLE note DROP COLUMN chain;
