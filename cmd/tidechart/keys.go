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

// Where a key is looked for that no flag names.
const (
	credential = "tidechart-keys" // in systemd's $CREDENTIALS_DIRECTORY
	keyInEnv   = "TIDECHART_KEY"  // the key itself
	demoKeys   = "keys"           // in the data directory of a demo
)

// keysFlags say where the key-encryption key is.
type keysFlags struct {
	Keys string `type:"path" placeholder:"FILE" help:"File with the key that seals what the database holds; tidechart keys init FILE makes one. Without it, the systemd credential tidechart-keys." env:"TIDECHART_KEYS"`
}

// orDemo is the key file of a demo, if no other was named.
func (d database) orDemo(f keysFlags) keysFlags {
	if f.Keys == "" && d.DatabaseURL == "" {
		f.Keys = filepath.Join(d.Data, demoKeys)
	}
	return f
}

// keys opens the vault of a server, and sees to it that no dump of this process's memory holds it.
func (f keysFlags) keys(log *slog.Logger) (*vault.Vault, error) {
	secret, err := f.secret(log)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	return unlock(secret)
}

func (f keysFlags) secret(log *slog.Logger) (vault.Secret, error) {
	if f.Keys != "" {
		return vault.ReadFile(f.Keys)
	}
	if dir := os.Getenv("CREDENTIALS_DIRECTORY"); dir != "" {
		secret, err := vault.ReadCredential(filepath.Join(dir, credential))
		if !errors.Is(err, fs.ErrNotExist) {
			return secret, err
		}
	}
	if text := os.Getenv(keyInEnv); text != "" {
		log.Warn("the key is in the environment, which other programs of this user can read; give it in a file", "variable", keyInEnv)
		secret, err := vault.Parse([]byte(text))
		if err != nil {
			return secret, fmt.Errorf("%s: %w", keyInEnv, err)
		}
		return secret, nil
	}
	return vault.Secret{}, errors.New("no key: give --keys FILE, since what the database holds is sealed; make one, once for each database, with tidechart keys init FILE")
}

// again reads the keys anew, as they may have changed since the server started.
func (f keysFlags) again() (vault.Secret, error) { return f.secret(slog.New(slog.DiscardHandler)) }

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

func unlock(secret vault.Secret) (*vault.Vault, error) {
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}); err != nil {
		return nil, fmt.Errorf("forbid core files: %w", err)
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

// followKeys takes over keys that are rotated, until ctx ends. read reads them anew. A file that cannot be read changes nothing: the
// server goes on with the keys that it has.
func followKeys(ctx context.Context, log *slog.Logger, db *store.DB, read func() (vault.Secret, error)) {
	said := ""
	each(ctx, followEvery, func() {
		limit, cancel := context.WithTimeout(ctx, followTimeout)
		defer cancel()
		secret, err := read()
		if err == nil {
			err = db.FollowKeys(limit, &secret)
		} else {
			err = errors.Join(err, db.FollowKeys(limit, nil))
		}
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

// followTimeout bounds one look at the keys.
const followTimeout = 5 * time.Second

type keysCmd struct {
	Init    keysInitCmd    `cmd:"" help:"Make a key, in a new file that only you can read."`
	Recover keysRecoverCmd `cmd:"" help:"Make a new key from two shares of the recovery key, when all others are lost."`
	Status  keysStatusCmd  `cmd:"" help:"Say which keys seal the database, and whether all that they seal opens."`
	Rotate  keysRotateCmd  `cmd:"" help:"Add a new key to the file, and have running servers wrap what is new to it."`
	Rewrap  keysRewrapCmd  `cmd:"" help:"Wrap all data keys to the newest key, while servers run. It may be stopped, and goes on where it was."`
	Retire  keysRetireCmd  `cmd:"" help:"Take the keys that nothing needs any more out of the file, and out of use."`
}
