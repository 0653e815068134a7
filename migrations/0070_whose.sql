-- 0070_whose: whose a note is, the log of acts says, each time that it says how far its log has come (0033_chains): a note that is put
-- into another patient's record is found by one probe, whichever of these entries somebody adds.

-- +goose Up
CREATE INDEX audit_event_whose ON audit_event (note_id, patient_id) WHERE code LIKE '%chain=%';

-- +goose Down
DROP INDEX audit_event_whose;
