package main

import (
	"context"
	"log/slog"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store"
)

type noteKeysCmd struct {
	Show   noteKeysShowCmd   `cmd:"" default:"withargs" help:"Print the public keys by which notes are signed, and were. There is nothing secret in them."`
	Rotate noteKeysRotateCmd `cmd:"" help:"Have another pair of keys sign notes from now on."`
}

type noteKeysShowCmd struct{ database }

func (c *noteKeysShowCmd) Run(ctx context.Context) error {
	return c.with(ctx, func(db *store.DB) error {
		all, err := db.NoteKeys(ctx)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			return say("No note is signed yet: the first signature makes the keys.\n")
		}
		for i, keys := range all {
			what := "Signed notes before"
			if i == len(all)-1 {
				what = "Signs notes now"
			}
			if err := sayNoteKeys(what, keys); err != nil {
				return err
			}
		}
		return nil
	})
}

func sayNoteKeys(what string, keys audit.Keys) error {
	return say("# %s: %s\n# Fingerprint %s\n%s", what, keys.Name(), keys.Fingerprint(), keys)
}

type noteKeysRotateCmd struct {
	database
	keysFlags
	DryRun bool `help:"Only say what would be done."`
}

func (c *noteKeysRotateCmd) Help() string {
	return `Notes are signed by an Ed25519 and an ML-DSA-65 key. This makes two others, which servers use from the next signature on, without a
restart. It is recorded with their fingerprint: whoever is given a note with the proofs of the log of acts can see since when they sign.

What was signed stays good: each signature names its keys. When the old keys are known to somebody else, tell everybody who checks notes
to take their fingerprint only for what the log of acts has from before.`
}

func (c *noteKeysRotateCmd) Run(ctx context.Context, log *slog.Logger) error {
	db, err := c.openSealed(ctx, c.keysFlags, log)
	if err != nil {
		return err
	}
	defer db.Close()
	if c.DryRun {
		all, err := db.NoteKeys(ctx)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			return say("Would make the first keys that sign notes.\n")
		}
		return say("Would have other keys sign notes instead of %s. There were %d so far.\n", all[len(all)-1].Fingerprint(), len(all))
	}
	keys, err := db.RotateNoteSigner(ctx)
	if err != nil {
		return asFound(err)
	}
	return sayNoteKeys("Signs notes now", keys)
}
