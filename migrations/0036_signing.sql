-- 0036_signing: notes are reviewed, signed, cosigned, and what is said about a signed one later is a note of its own (I5).
--
--   draft ⇄ review → signing → signed → cosigned → added → amended → retracted
--
-- Signing is a freeze: for a short time nobody writes, so that the signer reads exactly what they sign. When its time is over the
-- note is what it was before, whatever column state says: see writable(). The last three follow from signed notes about this one;
-- the furthest counts. Whoever types the statement: no step is made that a signature does not bear out, no signature changes, and
-- the log of a signed note does not grow.

-- +goose Up
ALTER TABLE note
    DROP CONSTRAINT note_state_check,
    ADD COLUMN sign_epoch   bigint NOT NULL DEFAULT 0,
    ADD COLUMN frozen_until timestamptz,
    ADD COLUMN frozen_by    uuid REFERENCES person (id),
    ADD COLUMN frozen_from  text CHECK (frozen_from IN ('draft', 'review')),
    ADD CONSTRAINT note_state_check CHECK (state IN ('draft', 'review', 'signing', 'signed', 'cosigned', 'amended', 'added', 'retracted', 'destroyed')),
    ADD CONSTRAINT note_freeze_check CHECK (num_nulls(frozen_until, frozen_by, frozen_from) = CASE state WHEN 'signing' THEN 0 ELSE 3 END);
COMMENT ON COLUMN note.sign_epoch IS 'Counts freezes: who froze the note signs it only if nobody has frozen it since.';
COMMENT ON COLUMN note.frozen_from IS 'What the note was before, and is again when the freeze is over.';

-- Whether a note takes edits. A statement that waited for the row asks as of its beginning, which is no later.
-- +goose StatementBegin
CREATE FUNCTION writable(state text, frozen_until timestamptz) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT state IN ('draft', 'review') OR state = 'signing' AND frozen_until <= now()
$$;
-- +goose StatementEnd

CREATE TABLE note_signer (
    id      integer     PRIMARY KEY CHECK (id > 0),
    keys    text        NOT NULL,          -- public
    seed    bytea       NOT NULL,          -- sealed
    made_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE note_signer IS 'By whose keys this installation signs notes: the newest. Rows are added, never changed.';

CREATE TABLE note_signature (
    note_id   uuid        NOT NULL REFERENCES note (id),
    n         smallint    NOT NULL CHECK (n BETWEEN 1 AND 100), -- per note: 1, 2, 3, without a gap
    signer_id uuid        NOT NULL REFERENCES person (id),
    role      text        NOT NULL,        -- that they had
    name      text        NOT NULL,        -- as it is printed
    meaning   text        NOT NULL CHECK (meaning IN ('author', 'cosign', 'witness')),
    at        timestamptz NOT NULL,
    head      bigint      NOT NULL,
    cosign    boolean     NOT NULL,        -- an attending has to sign as well
    keys      integer     NOT NULL REFERENCES note_signer (id),
    statement bytea       NOT NULL,        -- with both signatures; sealed, because it has hashes of what the note says
    hash      bytea       NOT NULL CHECK (octet_length(hash) = 32), -- SHA-256 of the statement's text, which nobody can guess
    PRIMARY KEY (note_id, n),
    CONSTRAINT note_signature_once UNIQUE (note_id, signer_id),
    CHECK ((n = 1) = (meaning = 'author'))
);
CREATE INDEX note_signature_cosign ON note_signature (at) WHERE cosign;
CREATE INDEX note_signature_signer ON note_signature (signer_id, at);
COMMENT ON TABLE note_signature IS 'Who signed what, as what. Rows are added, never changed.';

-- The note as it was signed, so that whoever checks it later needs no version of this program to read its log in the same way.
CREATE TABLE note_signed (
    note_id     uuid  PRIMARY KEY REFERENCES note (id),
    content     bytea NOT NULL CHECK (octet_length(content) > 33),     -- canonical, sealed
    attribution bytea NOT NULL CHECK (octet_length(attribution) > 33)
);
COMMENT ON TABLE note_signed IS 'Canonical content and attribution of signed notes, sealed. Rows are added, never changed.';

CREATE TABLE note_about (
    note_id   uuid  PRIMARY KEY REFERENCES note (id),
    parent_id uuid  NOT NULL REFERENCES note (id),
    relation  text  NOT NULL CHECK (relation IN ('addendum', 'correction', 'late-entry', 'retraction')),
    reason    bytea NOT NULL CHECK (octet_length(reason) > 33),        -- sealed for the patient
    CHECK (note_id <> parent_id)
);
CREATE INDEX note_about_parent ON note_about (parent_id);
COMMENT ON TABLE note_about IS 'Which notes are about another, and why they were begun. Rows are added, never changed.';

-- +goose StatementBegin
CREATE FUNCTION refuse_signature_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'signatures never change' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'signed';
END $$;
-- +goose StatementEnd
CREATE TRIGGER note_signer_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON note_signer FOR EACH STATEMENT EXECUTE FUNCTION refuse_signature_change();
CREATE TRIGGER note_signature_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON note_signature FOR EACH STATEMENT EXECUTE FUNCTION refuse_signature_change();
CREATE TRIGGER note_signed_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON note_signed FOR EACH STATEMENT EXECUTE FUNCTION refuse_signature_change();
CREATE TRIGGER note_about_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON note_about FOR EACH STATEMENT EXECUTE FUNCTION refuse_signature_change();

-- A signature is of the note as it is: of its newest row, the next in turn, by its author while it is written, by others afterwards.
-- +goose StatementBegin
CREATE FUNCTION sign_as_it_is() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    signed note%ROWTYPE;
    before smallint;
BEGIN
    SELECT * INTO signed FROM note WHERE id = NEW.note_id FOR NO KEY UPDATE;
    SELECT coalesce(max(n), 0) INTO before FROM note_signature WHERE note_id = NEW.note_id;
    IF NEW.head <> signed.head OR NEW.n <> before + 1
       OR (signed.state IN ('draft', 'review', 'signing')) <> (NEW.meaning = 'author')
       OR signed.state IN ('retracted', 'destroyed') THEN
        RAISE EXCEPTION 'not a signature of the note as it is' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'signed';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER note_signature_is_of_the_note BEFORE INSERT ON note_signature FOR EACH ROW EXECUTE FUNCTION sign_as_it_is();

-- What is about a note is about a signed one, of the same patient, and is said from its beginning.
-- +goose StatementBegin
CREATE FUNCTION be_about_signed() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM note parent JOIN note child ON child.patient_id = parent.patient_id
                    WHERE parent.id = NEW.parent_id AND parent.state IN ('signed', 'cosigned', 'added', 'amended') AND child.id = NEW.note_id
                      AND child.state = 'draft' AND child.head = 1) THEN
        RAISE EXCEPTION 'not about a signed note of the same patient' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'about';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER note_about_is_about_signed BEFORE INSERT ON note_about FOR EACH ROW EXECUTE FUNCTION be_about_signed();

-- +goose StatementBegin
CREATE FUNCTION step_as_signed() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    follows boolean;
BEGIN
    follows := CASE NEW.state
        WHEN 'draft' THEN OLD.state = 'review' OR OLD.state = 'signing' AND OLD.frozen_from = 'draft'
        WHEN 'review' THEN OLD.state = 'draft' OR OLD.state = 'signing' AND OLD.frozen_from = 'review'
        WHEN 'signing' THEN OLD.state IN ('draft', 'review') AND NEW.frozen_from = OLD.state AND NEW.sign_epoch > OLD.sign_epoch
        WHEN 'signed' THEN OLD.state IN ('draft', 'review', 'signing')
            AND EXISTS (SELECT FROM note_signature WHERE note_id = NEW.id AND meaning = 'author' AND head = NEW.head)
            AND EXISTS (SELECT FROM note_signed WHERE note_id = NEW.id)
        WHEN 'cosigned' THEN OLD.state = 'signed' AND EXISTS (SELECT FROM note_signature WHERE note_id = NEW.id AND meaning = 'cosign')
        WHEN 'added' THEN OLD.state IN ('signed', 'cosigned')
        WHEN 'amended' THEN OLD.state IN ('signed', 'cosigned', 'added')
        WHEN 'retracted' THEN OLD.state IN ('signed', 'cosigned', 'added', 'amended')
        ELSE true -- destroyed, which 0031 knows
    END;
    IF follows AND NEW.state IN ('added', 'amended', 'retracted') THEN
        follows := EXISTS (SELECT FROM note_about about JOIN note_signature signature ON signature.note_id = about.note_id AND signature.n = 1
                            WHERE about.parent_id = NEW.id AND NEW.state = CASE about.relation
                                  WHEN 'correction' THEN 'amended' WHEN 'retraction' THEN 'retracted' ELSE 'added' END);
    END IF;
    IF follows IS NOT TRUE THEN
        RAISE EXCEPTION 'no note becomes % from %', NEW.state, OLD.state USING ERRCODE = 'restrict_violation', CONSTRAINT = 'state';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER note_steps_as_signed BEFORE UPDATE OF state ON note FOR EACH ROW
    WHEN (OLD.state <> NEW.state AND OLD.state <> 'destroyed') EXECUTE FUNCTION step_as_signed();

-- +goose StatementBegin
CREATE FUNCTION refuse_after_signature() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a signed note never changes' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'signed';
END $$;
-- +goose StatementEnd
CREATE TRIGGER note_ends_with_its_signature BEFORE UPDATE OF head, chain, kind, patient_id, created_by ON note FOR EACH ROW
    WHEN (OLD.state NOT IN ('draft', 'review', 'signing', 'destroyed') AND OLD.chain IS NOT NULL
          AND (OLD.head, OLD.chain, OLD.kind, OLD.patient_id, OLD.created_by) IS DISTINCT FROM (NEW.head, NEW.chain, NEW.kind, NEW.patient_id, NEW.created_by))
    EXECUTE FUNCTION refuse_after_signature();
CREATE TRIGGER note_begins_as_draft BEFORE INSERT ON note FOR EACH ROW WHEN (NEW.state <> 'draft') EXECUTE FUNCTION refuse_after_signature();

-- Who may write follows from the state: decisions made before it changed are out of date, and are told apart by the counter.
DROP TRIGGER note_moves_epoch ON note;
CREATE TRIGGER note_moves_epoch BEFORE UPDATE OF patient_id, unit_id, kind, created_by, state, sign_epoch ON note FOR EACH ROW
    WHEN ((OLD.patient_id, OLD.unit_id, OLD.kind, OLD.created_by, OLD.state, OLD.sign_epoch)
        IS DISTINCT FROM (NEW.patient_id, NEW.unit_id, NEW.kind, NEW.created_by, NEW.state, NEW.sign_epoch))
    EXECUTE FUNCTION next_epoch();
DROP TRIGGER note_changes_access ON note;
CREATE TRIGGER note_changes_access AFTER UPDATE OF access_epoch, state, sign_epoch, recovery_until, patient_id, unit_id, kind, created_by ON note FOR EACH ROW
    WHEN ((OLD.access_epoch, OLD.state, OLD.recovery_until) IS DISTINCT FROM (NEW.access_epoch, NEW.state, NEW.recovery_until))
    EXECUTE FUNCTION tell_access('note');

-- +goose Down
-- +goose StatementBegin
DO $$ BEGIN
    IF EXISTS (SELECT FROM note_signature) THEN RAISE EXCEPTION 'notes were signed'; END IF;
    IF EXISTS (SELECT FROM note WHERE state IN ('review', 'signing')) THEN RAISE EXCEPTION 'notes are in review'; END IF;
END $$;
-- +goose StatementEnd
DROP TRIGGER note_changes_access ON note;
CREATE TRIGGER note_changes_access AFTER UPDATE OF access_epoch, state, recovery_until, patient_id, unit_id, kind, created_by ON note FOR EACH ROW
    WHEN ((OLD.access_epoch, OLD.state, OLD.recovery_until) IS DISTINCT FROM (NEW.access_epoch, NEW.state, NEW.recovery_until))
    EXECUTE FUNCTION tell_access('note');
DROP TRIGGER note_moves_epoch ON note;
CREATE TRIGGER note_moves_epoch BEFORE UPDATE OF patient_id, unit_id, kind, created_by ON note FOR EACH ROW
    WHEN ((OLD.patient_id, OLD.unit_id, OLD.kind, OLD.created_by) IS DISTINCT FROM (NEW.patient_id, NEW.unit_id, NEW.kind, NEW.created_by))
    EXECUTE FUNCTION next_epoch();
DROP TRIGGER note_begins_as_draft ON note;
DROP TRIGGER note_ends_with_its_signature ON note;
DROP TRIGGER note_steps_as_signed ON note;
DROP TABLE note_about, note_signed, note_signature, note_signer;
DROP FUNCTION refuse_after_signature, step_as_signed, be_about_signed, sign_as_it_is, refuse_signature_change, writable;
ALTER TABLE note
    DROP CONSTRAINT note_freeze_check, DROP CONSTRAINT note_state_check,
    DROP COLUMN sign_epoch, DROP COLUMN frozen_until, DROP COLUMN frozen_by, DROP COLUMN frozen_from,
    ADD CONSTRAINT note_state_check CHECK (state IN ('draft', 'signed', 'destroyed'));
