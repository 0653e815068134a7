-- 0068_cursor: the log of acts goes on behind its last entry, whatever a row beside it says.
-- Which act was sequenced last is read from the entries themselves. Whoever changed the columns that said so could keep acts from their
-- places, unseen.

-- +goose Up
ALTER TABLE audit_head DROP COLUMN xid, DROP COLUMN n;
COMMENT ON COLUMN audit_head.settled IS 'Up to which n the last entry says nothing of transactions here: it came from another cluster. Too high a number takes time, and hides nothing.';
COMMENT ON COLUMN audit_head.signed IS 'When the newest checkpoint was signed. A server signs when this says that it is time, or the checkpoint itself does.';

-- +goose Down
ALTER TABLE audit_head ADD COLUMN xid xid8 NOT NULL DEFAULT '0', ADD COLUMN n bigint NOT NULL DEFAULT 0;
UPDATE audit_head SET xid = event.xid, n = event.n
  FROM audit_order placed JOIN audit_event event ON event.n = placed.n
 WHERE placed.seq = audit_head.size - 1 AND event.n > audit_head.settled;
