package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/store"
)

// auditAcceptCmd is for an operator who has put notes back.
type auditAcceptCmd struct {
	database
	keysFlags

	Notes []uuid.UUID `arg:"" optional:"" name:"note" help:"Ids of the notes."`
	Seen  string      `type:"existingfile" placeholder:"FILE" help:"File in which a server keeps the newest checkpoint (tidechart serve --seen), when the whole database was put back. It is removed."`
}

func (c *auditAcceptCmd) Help() string {
	return `The log of acts says how far each note had come. One whose rows end before that does not open: somebody took its end away, or put an
older state of it back; nor does one that was put into another patient's record, even when it is back in its own. If that was you, from a backup, say so with this command. It needs the key file: whoever can only write in the
database cannot say it. What was there and is not any more stays on record, with how far it went.

Afterwards people may bring back what their browsers still hold: tidechart recover.

In a whole database that was restored notes open without it: its log of acts is as old as they are. Witnesses see that, and servers that
remember a later checkpoint, which do not start: give their file with --seen.`
}

func (c *auditAcceptCmd) Run(ctx context.Context, log *slog.Logger) error {
	if len(c.Notes) == 0 && c.Seen == "" {
		return fmt.Errorf("%w: which notes? Give their ids, or --seen", errUsage)
	}
	db, err := c.openSealed(ctx, c.keysFlags, log)
	if err != nil {
		return err
	}
	defer db.Close()
	if c.Seen != "" {
		if err := c.log(ctx, db); err != nil {
			return asFound(err)
		}
	}
	for _, note := range c.Notes {
		had, has, accepted, err := db.AcceptOlder(ctx, note)
		switch {
		case errors.Is(err, store.ErrNotFound):
			return errors.New("there is no note " + note.String())
		case err != nil:
			return err
		case !accepted:
			err = say("%s is as it was on record; nothing had to be accepted\n", note)
		default:
			err = say("%s ends at seq %d from now on; on record it had come to %d\n", note, has, had)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// log accepts an older state of the whole log of acts.
func (c *auditAcceptCmd) log(ctx context.Context, db *store.DB) error {
	s, err := db.NewSequencer(ctx)
	if err != nil {
		return err
	}
	had, has, err := s.AcceptOlder(ctx, seenFile(c.Seen))
	if err != nil {
		return err
	}
	if had == 0 {
		return say("the log of acts has all that was seen; nothing had to be accepted\n")
	}
	return errors.Join(os.Remove(c.Seen), say("the log of acts goes on behind %d entries; it was seen with %d (-1: signed by keys that it does not know)\n", has, had))
}

// seenFile keeps the newest checkpoint in a file.
type seenFile string

var _ store.Memory = seenFile("")

// Recall returns what was kept.
func (f seenFile) Recall() ([]byte, error) {
	text, err := readSmall(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return text, err
}

// Keep replaces it.
func (f seenFile) Keep(checkpoint []byte) error { return replace(string(f), checkpoint) }
