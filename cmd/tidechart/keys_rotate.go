package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/vault"
)

// ring is what commands that change keys work on: the key file and the database.
type ring struct {
	database
	keysFlags
	DryRun bool `help:"Say what would be done, and do nothing."`
}

var errNotSealed = errors.New("no server was started with a key on this database yet")

// keysAtWork is the state that such a command begins with.
type keysAtWork struct {
	db     *store.DB
	source *keySource
	secret vault.Secret
	ids    []vault.KeyID // of secret
	inUse  []vault.KeyID // of the database, the newest first
}

// alone calls f with keys that fit the database, while nobody else changes either.
func (c *ring) alone(ctx context.Context, log *slog.Logger, f func(keysAtWork) error) error {
	source, err := c.orDemo(c.keysFlags).source(log)
	if err != nil {
		return err
	}
	return c.with(ctx, func(db *store.DB) error {
		return db.AloneWithKeys(ctx, func() error {
			w := keysAtWork{db: db, source: source}
			limit, cancel := context.WithTimeout(ctx, kmsTimeout)
			defer cancel()
			var err error
			if w.secret, err = source.read(limit); err != nil {
				return err
			}
			if w.ids, err = w.secret.IDs(); err != nil {
				return err
			}
			if w.inUse, err = db.KeysInUse(ctx); err != nil {
				return err
			}
			if len(w.inUse) == 0 {
				return errNotSealed
			}
			for _, id := range w.inUse {
				if !slices.Contains(w.ids, id) {
					return fmt.Errorf("%w: %v does not have %v", store.ErrOtherKeys, source, id)
				}
			}
			return f(w)
		})
	})
}

// changing is alone, for what writes the keys, too: it says at once if they cannot be written.
func (c *ring) changing(ctx context.Context, log *slog.Logger, f func(keysAtWork) error) error {
	return c.alone(ctx, log, func(w keysAtWork) error {
		if err := w.source.writable(); err != nil {
			return err
		}
		return f(w)
	})
}

// vault opens the file's keys, of which the database's newest wraps.
func (w keysAtWork) vault() (*vault.Vault, error) {
	v, err := unlock(w.secret)
	if err == nil {
		v.Follow(w.inUse)
	}
	return v, err
}

type keysRotateCmd struct {
	ring
	DataKeys bool `help:"Have new data keys made, too, for what notes and the log of acts say from now on: after somebody may have had the key."`
}

func (keysRotateCmd) Help() string {
	return `The new key is added to the file, behind those that are there, and the database is told of it. Servers that read the file take it within
seconds; those that were given the key by systemd have to be started anew. Old keys go on opening what was wrapped to them.
Copy the file anew then, wrap everything to the new key with tidechart keys rewrap, and take the old one out of use with
tidechart keys retire.`
}

func (c *keysRotateCmd) Run(ctx context.Context, log *slog.Logger) error {
	return c.changing(ctx, log, func(w keysAtWork) error {
		retired, err := w.db.RetiredKEKs(ctx)
		if err != nil {
			return fmt.Errorf("look up retired keys: %w", err)
		}
		known := slices.Clone(w.inUse)
		for _, r := range retired {
			known = append(known, vault.KeyID(r.ID))
		}
		newest := w.ids[len(w.ids)-1]
		begun := !slices.Contains(known, newest) // by a command that was stopped before it told the database
		if c.DryRun {
			_, err := fmt.Printf("a new key would be added to %s and to the database; %d keys are in use\n", w.source.path, len(w.inUse))
			return err
		}
		if !begun {
			w.secret = w.secret.Rotated()
			if err := w.source.replace(ctx, w.secret); err != nil {
				return err
			}
			ids, err := w.secret.IDs()
			if err != nil {
				return err
			}
			newest = ids[len(ids)-1]
		}
		if err := w.db.Rotate(ctx, newest); err != nil {
			return err
		}
		if c.DataKeys {
			if err := w.db.RenewKeys(ctx); err != nil {
				return err
			}
		}
		_, err = fmt.Printf("key %v is in %s, and what is new is wrapped to it as soon as servers have read it.\nCopy the file anew to where you keep its copy. Then: tidechart keys rewrap\n", newest, w.source.path)
		return err
	})
}

type keysRewrapCmd struct {
	ring
	Wait  time.Duration `default:"1m" help:"How long to wait for running servers to read the newest key."`
	Hurry bool          `help:"Do not come after others that want the processor, and do not rest while people type, who may notice."`
}

func (keysRewrapCmd) Help() string {
	return `Servers run on, and people write on: what data keys seal is not touched. Where there is a recovery key, what is not wrapped to that is
wrapped to it, too. The work comes after everything else that the machine does, and may take long where that is never idle: --hurry.`
}

func (c *keysRewrapCmd) Run(ctx context.Context, log *slog.Logger) error {
	if !c.Hurry {
		stepBack()
	}
	return c.alone(ctx, log, func(w keysAtWork) error {
		v, err := w.vault()
		if err != nil {
			return err
		}
		if c.DryRun {
			all, old, err := w.db.ToRewrap(ctx, v)
			if err == nil {
				_, err = fmt.Printf("%d of %d data keys would be wrapped to %v\n", old, all, v.ID())
			}
			return err
		}
		if err := awaitServers(ctx, w, c.Wait); err != nil {
			return err
		}
		done, bad, err := rewrap(ctx, w.db, v, store.Rewrapping{By: v.Rewrap, Hurry: c.Hurry})
		if err != nil {
			return err
		}
		if _, err := fmt.Printf("%d data keys are wrapped to %v anew\n", done, v.ID()); err != nil {
			return err
		}
		if bad > 0 {
			return fmt.Errorf("%d data keys do not open, and stay as they are: tidechart keys status", bad)
		}
		return nil
	})
}

// rewrap wraps data keys anew, and shows how far it is.
func rewrap(ctx context.Context, db *store.DB, v *vault.Vault, how store.Rewrapping) (done, bad int, err error) {
	_, old, err := db.ToRewrap(ctx, v)
	if err != nil {
		return 0, 0, err
	}
	bar := progressbar.NewOptions(old, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetDescription("wrapping data keys"),
		progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionThrottle(200*time.Millisecond), progressbar.OptionSetWidth(30))
	how.Progress = func(n int) { _ = bar.Add(n) } // one that is not drawn is no error
	done, bad, err = db.Rewrap(ctx, v, how)
	_, _ = fmt.Fprintln(os.Stderr) // behind it
	return done, bad, err
}

// awaitServers waits until all servers that run have the newest key: what is wrapped to it is closed to others.
func awaitServers(ctx context.Context, w keysAtWork, wait time.Duration) error {
	limit, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for said := false; ; {
		_, without, err := w.db.Holders(ctx, w.inUse[0])
		if err != nil || without == 0 {
			return err
		}
		if !said {
			_, _ = fmt.Fprintf(os.Stderr, "waiting for %d running servers to read the newest key\n", without) // for whoever watches
			said = true
		}
		select {
		case <-tick.C:
		case <-limit.Done():
			return fmt.Errorf("%d running servers do not have the newest key; give it to them, or start them anew, and call this again", without)
		}
	}
}

type keysRetireCmd struct{ ring }

func (keysRetireCmd) Help() string {
	return `All keys but the newest are taken out of use, if nothing is wrapped to them any more, and moved to a file of their own. Backups
made before tidechart keys rewrap need that: keep it offline until the last of them is gone, and then destroy it.`
}

func (c *keysRetireCmd) Run(ctx context.Context, log *slog.Logger) error {
	return c.changing(ctx, log, func(w keysAtWork) error {
		if c.DryRun {
			v, err := w.vault()
			if err != nil {
				return err
			}
			_, old, err := w.db.ToRewrap(ctx, v)
			if err == nil {
				_, err = fmt.Printf("%d keys would be retired; %d data keys are still wrapped to them\n", len(w.inUse)-1, old)
			}
			return err
		}
		for _, id := range w.inUse[1:] {
			if err := w.db.Retire(ctx, id); err != nil {
				return fmt.Errorf("key %v: %w", id, err)
			}
		}
		retired, err := w.db.RetiredKEKs(ctx)
		if err != nil {
			return fmt.Errorf("look up retired keys: %w", err)
		}
		var gone []vault.KeyID
		for _, r := range retired { // also those of a command that was stopped here
			if id := vault.KeyID(r.ID); slices.Contains(w.ids, id) {
				gone = append(gone, id)
			}
		}
		if len(gone) == 0 {
			_, err := fmt.Println("there is one key, which is in use")
			return err
		}
		return w.moveOut(ctx, gone)
	})
}

// moveOut moves keys out of the file to another beside it.
func (w keysAtWork) moveOut(ctx context.Context, gone []vault.KeyID) error {
	rest, taken, err := w.secret.Split(gone)
	if err != nil {
		return err
	}
	aside := fmt.Sprintf("%s.retired-%.8s", w.source.path, gone[len(gone)-1])
	if err := w.source.create(ctx, aside, taken); err != nil {
		if there, readErr := w.source.readFile(ctx, aside); !errors.Is(err, fs.ErrExist) || readErr != nil || !there.Equal(taken) {
			return err
		}
	}
	if err := w.source.replace(ctx, rest); err != nil {
		return err
	}
	_, err = fmt.Printf("%d keys are retired, and in %s.\nBackups of before need them: keep that file offline until the last is gone, then destroy it.\n", len(gone), aside)
	return err
}
