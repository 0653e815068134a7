package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"time"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/vault"
)

type keysRecoverCmd struct {
	database
	Keys string `required:"" type:"path" placeholder:"FILE" help:"Key file to make."`
	kmsFlags
	Shares []string `arg:"" type:"existingfile" name:"share" help:"Files of two shares of the recovery key."`
	DryRun bool     `help:"Look whether the shares make the recovery key and open every data key, and change nothing."`
}

func (keysRecoverCmd) Help() string {
	return `A new key is made, in a file of its own, and all data keys are wrapped to it. Stop all servers first: those that still have the lost key
in memory would go on wrapping to it. Who stops this command calls it again, with the same file. The recovery key and its shares stay
good; if others have seen the shares, make new ones with tidechart keys init --recovery --replace FILE.`
}

func (c *keysRecoverCmd) Run(ctx context.Context, log *slog.Logger) error {
	r, err := c.recovery()
	if err != nil {
		return err
	}
	source, err := keysFlags{Keys: c.Keys, kmsFlags: c.kmsFlags}.source(log)
	if err != nil {
		return err
	}
	return c.with(ctx, func(db *store.DB) error {
		return db.AloneWithKeys(ctx, func() error { return c.recover(ctx, db, source, r) })
	})
}

// recovery puts the shares together.
func (c *keysRecoverCmd) recovery() (*vault.Recovery, error) {
	if len(c.Shares) != vault.SharesNeeded {
		return nil, fmt.Errorf("give %d shares", vault.SharesNeeded)
	}
	var shares [vault.SharesNeeded]vault.Share
	for i, path := range c.Shares {
		var err error
		if shares[i], err = vault.ReadShare(path); err != nil {
			return nil, err
		}
	}
	return vault.Recover(shares[0], shares[1])
}

func (c *keysRecoverCmd) recover(ctx context.Context, db *store.DB, source *keySource, r *vault.Recovery) error {
	inUse, err := db.KeysInUse(ctx)
	if err != nil {
		return err
	}
	if len(inUse) == 0 {
		return errNotSealed
	}
	secret, err := source.readFile(ctx, c.Keys)
	begun := err == nil // by this command, stopped
	if errors.Is(err, fs.ErrNotExist) {
		secret, err = r.NewSecret(), nil
	}
	if err != nil {
		return err
	}
	v, err := unlock(secret)
	if err != nil {
		return err
	}
	if id, has := v.RecoveryID(); !has || id != r.ID() {
		return fmt.Errorf("%s is there, and not of these shares", c.Keys)
	}
	by := func(name vault.Name, w vault.Wrapped) (vault.Wrapped, error) { return r.Rewrap(v, name, w) }
	if c.DryRun {
		total, _, err := db.ToRewrap(ctx, v)
		if err != nil {
			return err
		}
		bar := newBar(int64(total), "opening data keys")
		all, bad, err := db.TryRewrap(ctx, by, bar.add)
		bar.end()
		if err == nil {
			_, err = fmt.Printf("the shares make recovery key %v, which opens %d of %d data keys\n", r.ID(), all-bad, all)
		}
		return err
	}
	if all, _, err := db.Holders(ctx, v.ID()); err != nil {
		return err
	} else if all > 0 {
		return fmt.Errorf("%d servers are running, or were within half a minute: stop them first", all)
	}
	if !begun {
		if err := source.create(ctx, c.Keys, secret); err != nil {
			return err
		}
	}
	if err := db.Record(ctx, audit.Event{Act: audit.RecoverKeys, Code: "recovery=" + r.ID().String()}); err != nil {
		return err
	}
	if !slices.Contains(inUse, v.ID()) {
		if err := db.Rotate(ctx, v.ID()); err != nil {
			return err
		}
	}
	return c.rewrap(ctx, db, v, by)
}

// rewrap wraps all data keys to the new key, and has the database give up the lost ones.
func (c *keysRecoverCmd) rewrap(ctx context.Context, db *store.DB, v *vault.Vault, by store.Rewrapper) error {
	begin := time.Now()
	done, bad, err := rewrap(ctx, db, v, store.Rewrapping{By: by, Hurry: true})
	if err != nil {
		return err
	}
	if bad > 0 {
		return fmt.Errorf("%d data keys are wrapped to %v anew; the recovery key does not open %d: these need the lost key", done, v.ID(), bad)
	}
	inUse, err := db.KeysInUse(ctx)
	if err != nil {
		return err
	}
	for _, id := range inUse[1:] {
		if err := db.Retire(ctx, id); err != nil {
			return fmt.Errorf("key %v: %w", id, err)
		}
	}
	_, err = fmt.Printf("%d data keys are wrapped to key %v, which is in %s, in %v.\nCopy the file, start servers with it, and look: tidechart keys status\n", done, v.ID(), c.Keys, time.Since(begin).Round(time.Second))
	return err
}
