package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store"
)

type auditKeysCmd struct {
	Show   auditKeysShowCmd   `cmd:"" default:"withargs" help:"Print the public keys of the log. There is nothing secret in them."`
	Rotate auditKeysRotateCmd `cmd:"" help:"Have another pair of keys sign the log from now on. Those of before sign that they do."`
}

type auditKeysShowCmd struct{ database }

func (c *auditKeysShowCmd) Run(ctx context.Context) error {
	return c.with(ctx, func(db *store.DB) error {
		ring, err := db.AuditRing(ctx)
		if err != nil {
			return noLog(err)
		}
		return printKeys(ring.Newest())
	})
}

func printKeys(keys audit.Keys) error {
	return say("# Public keys of the log %s\n# Fingerprint %s\n%s", keys.Name(), keys.Fingerprint(), keys)
}

type auditKeysRotateCmd struct {
	database
	keysFlags
	DryRun bool `help:"Only say what would be done."`
}

func (c *auditKeysRotateCmd) Help() string {
	return `The log is signed by an Ed25519 and an ML-DSA-65 key. This makes two others, and has all four sign that the new ones go on behind the
entry that is the newest now. Servers use them within seconds, without a restart; the old ones sign nothing any more that comes behind.

Auditors and witnesses who have public keys of before need no others: they follow the statements, which come with every bundle, and which
servers show. Give new ones the new keys. When old keys are known to somebody else, tell everybody: what these sign for a time
before the change, only a witness contradicts.`
}

func (c *auditKeysRotateCmd) Run(ctx context.Context, log *slog.Logger) error {
	db, err := c.openSealed(ctx, c.keysFlags, log)
	if err != nil {
		return err
	}
	defer db.Close()
	if c.DryRun {
		ring, err := db.AuditRing(ctx)
		if err != nil {
			return noLog(err)
		}
		return say("Would have other keys sign the log %s instead of %s. It has had %d so far.\n", ring.Name(), ring.Newest().Fingerprint(), ring.Len())
	}
	before, now, size, err := db.RotateSigner(ctx)
	if err != nil {
		return asFound(err)
	}
	return errors.Join(printKeys(now), say("%s", fmt.Sprintf("# They sign what comes behind entry %d, instead of %s.\n", size-1, before.Fingerprint())))
}
