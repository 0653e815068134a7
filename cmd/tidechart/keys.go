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
	"text/tabwriter"
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

// ownKeys opens the vault of a demo, whose key is in its data directory, and made when there is none.
func ownKeys(data string, log *slog.Logger) (*vault.Vault, error) {
	path := filepath.Join(data, demoKeys)
	secret, err := vault.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
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

type keysCmd struct {
	Init   keysInitCmd   `cmd:"" help:"Make a key, in a new file that only you can read."`
	Status keysStatusCmd `cmd:"" help:"Say which key seals the database, and whether all that it seals opens."`
}

type keysInitCmd struct {
	File string `arg:"" type:"path" help:"File to make. One that is there is left alone."`
}

func (c *keysInitCmd) Run() error {
	secret, err := vault.CreateFile(c.File)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already; what it seals needs it", c.File)
	}
	if err != nil {
		return err
	}
	v, err := vault.New(secret)
	if err == nil {
		_, err = fmt.Printf("key %v is in %s\n\nWithout this file nobody can ever read what it seals. Keep a copy of it, offline,\n"+
			"where no copy of the database is; who has both can read everything.\n", v.ID(), c.File)
	}
	return err
}

type keysStatusCmd struct {
	database
	keysFlags
}

// errKeysWrong ends a status that is not good; what is wrong was printed.
var errKeysWrong = errors.New("the database and the key do not fit")

func (c *keysStatusCmd) Run(ctx context.Context, log *slog.Logger) error {
	if c.Keys == "" && c.DatabaseURL == "" {
		c.Keys = filepath.Join(c.Data, demoKeys)
	}
	v, err := c.keys(log)
	if err != nil {
		return err
	}
	return c.with(ctx, func(db *store.DB) error { return keysStatus(ctx, db, v) })
}

func keysStatus(ctx context.Context, db *store.DB, v *vault.Vault) error {
	kek, err := db.KEK(ctx)
	none := errors.Is(err, store.ErrNotFound)
	if err != nil && !none {
		return fmt.Errorf("look up key: %w", err)
	}
	sealed := "not yet: no server was started with a key"
	fits := none || vault.KeyID(kek.ID) == v.ID()
	if !none {
		sealed = fmt.Sprintf("with %x since %s", kek.ID, kek.AdoptedAt.Local().Format(time.DateTime))
	}
	people, notes, err := db.CheckKeys(ctx, v)
	if err != nil {
		return err
	}
	left, err := db.CountUnsealedTOTPs(ctx)
	if err != nil {
		return fmt.Errorf("look for secrets in the clear: %w", err)
	}
	clear, err := db.NotesInTheClear(ctx)
	if err != nil {
		return fmt.Errorf("look for notes in the clear: %w", err)
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(table, "key\t%v\nsealed\t%s\nkeys of people\t%d, %d of which do not open\nkeys of notes\t%d, %d of which do not open\nin the clear\t%d apps for codes, %d notes\n",
		v.ID(), sealed, people.All, people.Bad, notes.All, notes.Bad, left, len(clear)) // Flush tells
	if err := table.Flush(); err != nil {
		return err
	}
	if !fits || people.Bad+notes.Bad > 0 || !none && left > 0 || !none && kek.NotesSealed && len(clear) > 0 {
		return errKeysWrong
	}
	return nil
}
