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
	"github.com/schollz/progressbar/v3"

	"github.com/clisonix/tidechart/server/store"
)

type keysShredCmd struct {
	database
	Request []string      `arg:"" optional:"" help:"Ids of the decisions to carry out; without one, all that are approved."`
	DryRun  bool          `help:"Say what would be destroyed, and destroy nothing."`
	Wait    time.Duration `default:"1m" help:"How long to wait until all running servers have let go of it."`
}

func (keysShredCmd) Help() string {
	return `People decide on the page /destruction: a privacy officer asks, and within seven days an administrator approves. This command carries it out by
then. It takes away the data keys of a note, or of all notes about a patient and of who they are; nothing opens these any more. What is held
(tidechart hold) stays. Then it writes two tables anew, which nothing else can use meanwhile, so that the keys are in no file of theirs. It needs
no key file. Backups of before still have the keys: docs/security/keys.md says how these end.`
}

// errNotShredded ends a command that could not carry out all that it was to; what could not be was printed.
var errNotShredded = errors.New("not all of it was destroyed")

func (c *keysShredCmd) Run(ctx context.Context, log *slog.Logger) error {
	db, err := c.openWith(ctx, nil, store.WithLog(log))
	if err != nil {
		return err
	}
	defer db.Close()
	return db.AloneWithKeys(ctx, func() error { return c.shred(ctx, db) })
}

func (c *keysShredCmd) shred(ctx context.Context, db *store.DB) error {
	todo, err := c.toDo(ctx, db)
	if err != nil {
		return err
	}
	if c.DryRun {
		return sayShredding(todo)
	}
	bar := progressbar.NewOptions(len(todo), progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetDescription("destroying records"),
		progressbar.OptionShowCount(), progressbar.OptionThrottle(200*time.Millisecond), progressbar.OptionSetWidth(30))
	var notes, keys, refused int
	for _, row := range todo {
		done, err := db.Shred(ctx, row.Shredding.ID)
		if errors.Is(err, store.ErrHeld) || errors.Is(err, store.ErrTwoPeople) {
			refused++
			_, _ = fmt.Fprintf(os.Stderr, "\n%v: %v\n", row.Shredding.ID, err) // for whoever watches
		} else if err != nil {
			return err
		}
		notes, keys = notes+done.Notes, keys+done.Keys
		_ = bar.Add(1) // a bar that is not drawn is no error
	}
	_, _ = fmt.Fprintln(os.Stderr) // behind it
	if _, err := db.Erase(ctx); err != nil {
		return err
	}
	if err := awaitForgetting(ctx, db, c.Wait); err != nil {
		return err
	}
	if _, err := fmt.Printf("%d of %d decisions are carried out: %d data keys are destroyed, and %d notes with them\n", len(todo)-refused, len(todo), keys, notes); err != nil {
		return err
	}
	if refused > 0 {
		return errNotShredded
	}
	return nil
}

// toDo are the decisions that were asked for, or all that are approved. One that was carried out before is none.
func (c *keysShredCmd) toDo(ctx context.Context, db *store.DB) ([]store.ToShred, error) {
	approved, err := db.ToShred(ctx)
	if err != nil {
		return nil, fmt.Errorf("look up decisions: %w", err)
	}
	if len(c.Request) == 0 {
		return approved, nil
	}
	of := make(map[uuid.UUID]store.ToShred, len(approved))
	for _, row := range approved {
		of[row.Shredding.ID] = row
	}
	var todo []store.ToShred
	for _, name := range c.Request {
		id, err := uuid.Parse(name)
		if err != nil {
			return nil, fmt.Errorf("%q is no id of a decision", name)
		}
		row, there := of[id]
		if !there {
			before, err := db.ShreddingByID(ctx, id)
			if err == nil && before.DoneAt != nil {
				continue
			}
			return nil, fmt.Errorf("%v: nobody has decided this, or not in time", id)
		}
		todo = append(todo, row)
	}
	return todo, nil
}

// sayShredding says what would be destroyed. Whose it is only the page says: this command has no key.
func sayShredding(todo []store.ToShred) error {
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "DECISION\tWHAT\tNOTES\tKEYS\tASKED BY\tAPPROVED BY\tUNTIL") // Flush tells
	for _, row := range todo {
		what := "patient " + row.Shredding.PatientID.String()
		if row.Shredding.NoteID.Valid {
			what = "note " + row.Shredding.NoteID.UUID.String()
		}
		if row.Held {
			what += " (held: stays)"
		}
		if row.Here && !row.Shredding.NoteID.Valid {
			what += " (lies in a bed)"
		}
		_, _ = fmt.Fprintf(table, "%v\t%s\t%d\t%d\t%s\t%s\t%s\n", row.Shredding.ID, what, row.Notes, row.Keys, row.Asker, row.Approver, row.Shredding.Until.Local().Format(time.DateTime))
	}
	return table.Flush()
}

// awaitForgetting waits until all servers that run have let go of what was destroyed.
func awaitForgetting(ctx context.Context, db *store.DB, wait time.Duration) error {
	version, err := db.AccessVersion(ctx)
	if err != nil {
		return fmt.Errorf("look up version of access: %w", err)
	}
	limit, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	tick := time.NewTicker(time.Second / 2)
	defer tick.Stop()
	for said := false; ; {
		_, remembering, err := db.Remembering(ctx, version)
		if err != nil || remembering == 0 {
			return err
		}
		if !said {
			_, _ = fmt.Fprintf(os.Stderr, "waiting for %d running servers to let go of it\n", remembering) // for whoever watches
			said = true
		}
		select {
		case <-tick.C:
		case <-limit.Done():
			return fmt.Errorf("it is destroyed, but %d running servers have not said that they let go of it; stop them, or call this again", remembering)
		}
	}
}
