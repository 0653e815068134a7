package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/clisonix/tidechart/sessions"
)

// notesAtOnce is how many notes that something is to be done with are looked for at once.
const notesAtOnce = 100

// eachNote does something with note after note, each once, until looking finds no more or ctx ends. A note with which it fails does not keep
// the others from it: the error says why. Look finds those that need it, up to a number, those that failed among them.
func eachNote(ctx context.Context, look func(context.Context, int32) ([]sessions.NoteID, error), do func(sessions.NoteID) error) (err error) {
	tried := make(map[sessions.NoteID]bool)
	for {
		found, failed := look(ctx, notesAtOnce+int32(len(tried)))
		if failed != nil {
			return errors.Join(err, fmt.Errorf("look for notes: %w", failed))
		}
		fresh := false
		for _, note := range found {
			if tried[note] {
				continue
			}
			tried[note], fresh = true, true
			err = errors.Join(err, do(note))
			if ctx.Err() != nil {
				return err
			}
		}
		if !fresh {
			return err
		}
	}
}
