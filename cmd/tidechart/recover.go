package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/store"
)

type recoverCmd struct {
	database

	Notes []uuid.UUID   `arg:"" optional:"" name:"note" help:"Ids of the notes."`
	All   bool          `help:"All notes that are not signed." xor:"which"`
	For   time.Duration `default:"1h" help:"How long they are open."`
	End   bool          `help:"End it now." xor:"what"`
	List  bool          `help:"Show what was brought back, and by whom." xor:"what"`
}

func (c *recoverCmd) Help() string {
	return `After a restore of an older database, edits are missing that browsers may still hold: their own, and those of colleagues, which
they may not send. While a note is open for recovery they may. What comes back stays its author's, where that is known, and is
marked with who brought it.

Open the notes before you let people in again: tidechart recover --all --for 2h. Pages that are open bring what they have as
soon as they connect; nobody should reload one before it says "Saved".`
}

func (c *recoverCmd) Run(ctx context.Context) error {
	if len(c.Notes) == 0 && !c.All && !c.List {
		return errors.New("which notes? Give their ids, or --all")
	}
	if c.All && len(c.Notes) > 0 {
		return errors.New("give ids of notes or --all, not both")
	}
	if c.For <= 0 {
		return errors.New("--for must be longer than nothing")
	}
	db, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	which := []uuid.NullUUID{{}} // all
	if len(c.Notes) > 0 {
		which = which[:0]
		for _, id := range c.Notes {
			which = append(which, uuid.NullUUID{UUID: id, Valid: true})
		}
	}
	if c.List {
		return list(ctx, db, which)
	}
	var until *time.Time
	if !c.End {
		end := time.Now().Add(c.For).Truncate(time.Second)
		until = &end
	}
	changed := int64(0)
	for _, note := range which {
		n, err := db.OpenRecovery(ctx, until, note)
		if err != nil {
			return fmt.Errorf("open notes for recovery: %w", err)
		}
		if n == 0 && note.Valid && !c.End {
			return fmt.Errorf("there is no note %s, or it is signed", note.UUID)
		}
		changed += n
	}
	if c.End {
		_, err = fmt.Printf("Recovery ended: %s had been opened.\n", count(changed))
	} else {
		_, err = fmt.Printf("Open for recovery until %s: %s. See what comes back with --list.\n", until.Format(time.DateTime), count(changed))
	}
	return err
}

// list prints what was brought back.
func list(ctx context.Context, db *store.DB, which []uuid.NullUUID) error {
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "NOTE\tWRITTEN BY\tBROUGHT BACK BY\tCHARACTERS\tWHEN") // Flush tells
	for _, note := range which {
		rows, err := db.Recovered(ctx, note)
		if err != nil {
			return fmt.Errorf("list what was recovered: %w", err)
		}
		for _, r := range rows {
			writer := "(not known)"
			if r.Writer != nil {
				writer = *r.Writer
			}
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\n", r.NoteID, writer, r.BroughtBy, r.Units, r.At.Local().Format(time.DateTime))
		}
	}
	return table.Flush()
}

func count(notes int64) string {
	if notes == 1 {
		return "1 note"
	}
	return fmt.Sprintf("%d notes", notes)
}
