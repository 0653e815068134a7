package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/clisonix/tidechart/server/vault"
)

type keysInitCmd struct {
	File     string `arg:"" type:"path" help:"File to make. One that is there is left alone, but for --recovery."`
	Recovery bool   `help:"Also make a recovery key, to which everything is sealed, too. Any two of three shares of it open all, if the file is lost: they are written beside it, for three people to keep."`
	Replace  bool   `help:"With --recovery: make another in the place of the one that there is, whose shares open nothing new then."`
	DryRun   bool   `help:"Only say what would be made."`
	kmsFlags
}

func (keysInitCmd) Help() string {
	return `With --recovery, a file that is there keeps its keys, and gets a recovery key; tidechart keys rewrap then wraps to it what there is. The shares
are in FILE.share-1 to FILE.share-3: give each to somebody else, and delete them here. No server needs them.`
}

func (c *keysInitCmd) Run(ctx context.Context, log *slog.Logger) error {
	if c.Replace && !c.Recovery {
		return errors.New("--replace is for --recovery")
	}
	source, err := keysFlags{Keys: c.File, kmsFlags: c.kmsFlags}.source(log)
	if err != nil {
		return err
	}
	secret, write, err := c.secret(ctx, source)
	if err != nil {
		return err
	}
	var shares [vault.Shares]vault.Share
	if c.Recovery {
		if _, has := secret.RecoveryID(); has && !c.Replace {
			return fmt.Errorf("%s has a recovery key already; --replace makes another", c.File)
		}
		for i := range shares {
			if path := c.share(i); exists(path) {
				return fmt.Errorf("%s is there already: of the recovery key that there is, or of a call that was stopped, whose shares open nothing; move it away", path)
			}
		}
		if secret, shares, err = secret.WithRecovery(); err != nil {
			return err
		}
	}
	if c.DryRun {
		what := "a key"
		if c.Recovery {
			what = fmt.Sprintf("a recovery key, with shares in %s to %s,", c.share(0), c.share(vault.Shares-1))
		}
		return say("%s would be made for %s\n", what, c.File)
	}
	if c.Recovery {
		for i, s := range shares { // before anything is sealed to what they are of
			if err := s.WriteFile(c.share(i)); err != nil {
				return err
			}
		}
	}
	if err := write(secret); err != nil {
		return err
	}
	return c.say(secret)
}

// secret is what the file is to begin with, and how it is written.
func (c *keysInitCmd) secret(ctx context.Context, source *keySource) (vault.Secret, func(vault.Secret) error, error) {
	if exists(c.File) && !c.Recovery {
		return vault.Secret{}, nil, fmt.Errorf("%s is there already; what it seals needs it", c.File)
	}
	secret, err := source.readFile(ctx, c.File)
	if errors.Is(err, fs.ErrNotExist) {
		return vault.NewSecret(), func(s vault.Secret) error { return source.create(ctx, c.File, s) }, nil
	}
	return secret, func(s vault.Secret) error { return source.replace(ctx, s) }, err
}

// share is the file of a share.
func (c *keysInitCmd) share(i int) string { return fmt.Sprintf("%s.share-%d", c.File, i+1) }

func (c *keysInitCmd) say(secret vault.Secret) error {
	ids, err := secret.IDs()
	if err != nil {
		return err
	}
	if id, has := secret.RecoveryID(); has && c.Recovery {
		_, err = fmt.Printf("key %v is in %s, and recovery key %v\n\nAny two of these three files open everything, if that one is lost. Give each to somebody else, offline,\nand delete it here:\n  %s\n  %s\n  %s\n",
			ids[len(ids)-1], c.File, id, c.share(0), c.share(1), c.share(2))
		return err
	}
	if c.KMS != "" {
		_, err = fmt.Printf("key %v is in %s, sealed by %s\n\nWithout this file, or without that key, nobody can ever read what it seals. Keep a copy of the file, offline,\n"+
			"have the key service backed up, and make a recovery key: tidechart keys init --recovery.\n", ids[len(ids)-1], c.File, c.KMS)
		return err
	}
	_, err = fmt.Printf("key %v is in %s\n\nWithout this file nobody can ever read what it seals. Keep a copy of it, offline,\n"+
		"where no copy of the database is; who has both can read everything.\n", ids[len(ids)-1], c.File)
	return err
}
