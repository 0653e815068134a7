package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/vault"
)

// orDemo is the key file of a demo, if no other was named.
func (d database) orDemo(f keysFlags) keysFlags {
	if f.Keys == "" && d.DatabaseURL == "" {
		f.Keys = filepath.Join(d.Data, demoKeys)
	}
	return f
}

// errKeyGone ends a demo whose database is sealed by a key that is not there.
var errKeyGone = errors.New("the file with its key is gone, and the database is sealed with it: put it back, or begin anew in another data directory")

// ownKeys opens the vault of a demo, whose key is in its data directory, and made when there is none and the database has had none.
func ownKeys(ctx context.Context, url, data string, log *slog.Logger) (*vault.Vault, error) {
	path := filepath.Join(data, demoKeys)
	secret, err := vault.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if inUse, err := keysOf(ctx, url); err != nil {
			return nil, err
		} else if len(inUse) > 0 {
			return nil, fmt.Errorf("%w: %s", errKeyGone, path)
		}
		if err := os.MkdirAll(data, 0o700); err != nil { // there is none yet with a database elsewhere
			return nil, err
		}
		if secret, err = vault.CreateFile(path); err == nil {
			log.Info("key made", "file", path)
		} else if errors.Is(err, fs.ErrExist) {
			secret, err = vault.ReadFile(path) // another demo was faster
		}
	}
	if err != nil {
		return nil, err
	}
	return unlock(secret)
}

// unlock opens a vault, and sees to it that no dump of this process's memory holds it: neither a file, nor what a program gets that dumps are
// piped to, which heeds no limit.
func unlock(secret vault.Secret) (*vault.Vault, error) {
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}); err != nil {
		return nil, fmt.Errorf("forbid core files: %w", err)
	}
	if err := forbidDumps(); err != nil {
		return nil, fmt.Errorf("forbid dumps: %w", err)
	}
	return vault.New(secret)
}

// keysOf names the keys that the database at url is sealed with.
func keysOf(ctx context.Context, url string) ([]vault.KeyID, error) {
	db, err := store.Open(ctx, url, nil)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	return db.KeysInUse(ctx)
}

// followEvery is how soon a server takes over what the key file says, and tells that it runs.
const followEvery = 2 * time.Second

// followKeys takes over keys that are rotated, until ctx ends. read reads them anew. A file that cannot be read, or opened, changes nothing: the
// server goes on with the keys that it has.
func followKeys(ctx context.Context, log *slog.Logger, db *store.DB, read func(context.Context) (vault.Secret, error)) {
	said := ""
	limited := func(f func(context.Context) error) error {
		limit, cancel := context.WithTimeout(ctx, followTimeout)
		defer cancel()
		return f(limit)
	}
	each(ctx, followEvery, func() {
		var secret *vault.Secret
		err := limited(func(ctx context.Context) error {
			now, err := read(ctx)
			if err == nil {
				secret = &now
			}
			return err
		})
		err = errors.Join(err, limited(func(ctx context.Context) error { return db.FollowKeys(ctx, secret) })) // whose time is its own
		switch {
		case ctx.Err() != nil:
		case err != nil && err.Error() != said: // once
			log.Error("keys cannot be followed; those in memory stay in use", "err", err)
			said = err.Error()
		case err == nil && said != "":
			log.Info("keys are followed again")
			said = ""
		}
	})
}

// followTimeout bounds one look at the keys, and one at the database.
const followTimeout = 5 * time.Second

type keysCmd struct {
	Init    keysInitCmd    `cmd:"" help:"Make a key, in a new file that only you can read."`
	Recover keysRecoverCmd `cmd:"" help:"Make a new key from two shares of the recovery key, when all others are lost."`
	Status  keysStatusCmd  `cmd:"" help:"Say which keys seal the database, and whether all that they seal opens."`
	Rotate  keysRotateCmd  `cmd:"" help:"Add a new key to the file, and have running servers wrap what is new to it."`
	Rewrap  keysRewrapCmd  `cmd:"" help:"Wrap all data keys to the newest key, while servers run. It may be stopped, and goes on where it was."`
	Seal    keysSealCmd    `cmd:"" help:"Have a key service seal the key file, or seal it anew by its newest key."`
	Unseal  keysUnsealCmd  `cmd:"" help:"Write the key file in the clear again, without a key service."`
	Shred   keysShredCmd   `cmd:"" help:"Destroy the keys of records that two people have decided to destroy. It may be stopped, and goes on where it was."`
	Retire  keysRetireCmd  `cmd:"" help:"Take the keys that nothing needs any more out of the file, and out of use."`
}
