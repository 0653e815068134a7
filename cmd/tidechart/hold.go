package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store"
)

type holdCmd struct {
	Set  holdSetCmd  `cmd:"" help:"Keep a note, or all about a patient, from being destroyed."`
	Lift holdLiftCmd `cmd:"" help:"Do so no longer."`
	List holdListCmd `cmd:"" help:"Say what is held, since when, by whom and why."`
}

// holder is who decides about a hold; whoever calls the command does it for them.
type holder struct {
	database
	keysFlags
	By     string `required:"" placeholder:"USERNAME" help:"Privacy officer who has decided it. The log of acts says that an operator did it for them."`
	Reason string `required:"" placeholder:"WORDS" help:"Why, as in \"litigation 12/34\". It is sealed."`
}

// maxReason is how many bytes a reason may have.
const maxReason = 500

// with opens the database for f, and finds out who decides.
func (h *holder) with(ctx context.Context, log *slog.Logger, f func(db *store.DB, by uuid.UUID) error) error {
	if h.Reason == "" || len(h.Reason) > maxReason {
		return fmt.Errorf("a reason has 1 to %d bytes", maxReason)
	}
	db, err := h.openSealed(ctx, h.keysFlags, log)
	if err != nil {
		return err
	}
	defer db.Close()
	by, err := login.Holder(ctx, db, h.By)
	if err != nil {
		return err
	}
	return f(db, by)
}

type holdSetCmd struct {
	holder
	MRN  string `xor:"what" required:"" placeholder:"NUMBER" help:"Medical record number of the patient, of whom everything is held."`
	Note string `xor:"what" required:"" placeholder:"ID" help:"Id of the one note that is held, as in its address."`
}

func (c *holdSetCmd) Run(ctx context.Context, log *slog.Logger) error {
	return c.with(ctx, log, func(db *store.DB, by uuid.UUID) error {
		r, err := c.record(ctx, db)
		if err != nil {
			return err
		}
		id, err := db.SetHold(ctx, r, by, c.Reason)
		if err == nil {
			_, err = fmt.Printf("hold %v is set\n", id)
		}
		return err
	})
}

func (c *holdSetCmd) record(ctx context.Context, db *store.DB) (r store.Record, err error) {
	if c.Note == "" {
		row, err := db.PatientByMRN(ctx, c.MRN)
		if errors.Is(err, store.ErrNotFound) {
			return r, errors.New("no patient has this number")
		}
		return store.Record{Patient: row.Patient.ID}, err
	}
	id, err := uuid.Parse(c.Note)
	if err == nil {
		r.Note = uuid.NullUUID{UUID: id, Valid: true}
		r.Patient, err = db.NoteOwner(ctx, id)
	}
	if err != nil {
		return r, errors.New("there is no such note")
	}
	return r, nil
}

type holdLiftCmd struct {
	holder
	ID string `arg:"" help:"Id of the hold, as tidechart hold list says it."`
}

func (c *holdLiftCmd) Run(ctx context.Context, log *slog.Logger) error {
	id, err := uuid.Parse(c.ID)
	if err != nil {
		return fmt.Errorf("%q is no id of a hold", c.ID)
	}
	return c.with(ctx, log, func(db *store.DB, by uuid.UUID) error {
		err := db.LiftHold(ctx, id, by, c.Reason)
		if errors.Is(err, store.ErrNotFound) {
			return errors.New("there is no such hold, or it was lifted")
		}
		if err == nil {
			_, err = fmt.Printf("hold %v is lifted\n", id)
		}
		return err
	})
}

type holdListCmd struct {
	database
	keysFlags
	All bool `help:"Also those that were lifted."`
}

// maxHolds is how many holds are listed.
const maxHolds = 10_000

func (c *holdListCmd) Run(ctx context.Context, log *slog.Logger) error {
	db, err := c.openSealed(ctx, c.keysFlags, log)
	if err != nil {
		return err
	}
	defer db.Close()
	rows, err := db.Holds(ctx, c.All, maxHolds)
	if err != nil {
		return fmt.Errorf("list holds: %w", err)
	}
	if err := db.Record(ctx, audit.Event{Act: audit.SeeHolds, Code: fmt.Sprintf("holds=%d", len(rows))}); err != nil {
		return err
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "HOLD\tNUMBER\tNOTE\tSINCE\tBY\tWHY\tLIFTED") // Flush tells
	for _, row := range rows {
		h, note, lifted := row.LegalHold, "all", "no"
		if h.NoteID.Valid {
			note = h.NoteID.UUID.String()
		}
		if h.LiftedAt != nil {
			lifted = fmt.Sprintf("%s by %s: %s", h.LiftedAt.Local().Format(time.DateTime), row.Lifter, row.Lifted)
		}
		_, _ = fmt.Fprintf(table, "%v\t%s\t%s\t%s\t%s\t%s\t%s\n", h.ID, row.Patient.Mrn, note, h.SetAt.Local().Format(time.DateTime), row.Setter, row.Words, lifted)
	}
	return table.Flush()
}
