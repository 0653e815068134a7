package loadtest_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/loadtest"
	"github.com/clisonix/tidechart/server/demo/demotest"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
)

var (
	rotationFor  = flag.Duration("rotation.for", 0, "how long each load of TestRotationUnderLoad is; 0: a second, and nothing is compared")
	rotationKeys = flag.Int("rotation.keys", 300, "data keys that are there before")
	rotationTurn = flag.Int("rotation.rounds", 9, "loads without and with a rotation, of the long form")
)

// slower is what a rotation may make of the p99.
const slower = 1.2

// TestRotationUnderLoad: while people type, the key is changed and all data keys are wrapped anew. Nothing is lost, nor refused; and, in the long form, the
// slowest keystrokes of a hundred are a fifth slower at most than without.
func TestRotationUnderLoad(t *testing.T) {
	c, db, url := tidechartOn(t)
	addDataKeys(t, db, *rotationKeys)
	secret := demotest.Secret()
	rotateKeys, rounds := rotateHere, 1
	if *rotationFor > 0 {
		c.Notes, c.Clients, c.Rate, c.Warmup, c.Duration, rounds = 50, 5, 5, 2*time.Second, *rotationFor, *rotationTurn
		rotateKeys = rotateByCommand(t, url)
	}
	var without, with []float64
	for range rounds {
		r := run(t, t.Context(), c)
		without = append(without, inMS(r))

		meanwhile := c
		meanwhile.Progress = nil
		done := make(chan error, 1)
		rotate := time.AfterFunc(c.Warmup+c.Duration/10, func() {
			wrapped, took, err := rotateKeys(t.Context(), db, &secret)
			t.Logf("%d data keys wrapped anew in %v", wrapped, took.Round(time.Millisecond))
			if err == nil && wrapped < *rotationKeys {
				err = fmt.Errorf("%d data keys are wrapped anew", wrapped)
			}
			done <- err
		})
		r = run(t, t.Context(), meanwhile)
		if rotate.Stop() {
			t.Fatal("the load is over before the key is changed")
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		with = append(with, inMS(r))
		t.Logf("p99 to peer %.1f ms without, %.1f ms with a rotation", without[len(without)-1], with[len(with)-1])
		if k := r.Keystrokes; !r.OK() || k.Refused > 0 || k.Saved != k.Sent || r.Connections.Drops > 0 {
			t.Errorf("ok %v, %+v, %d connections dropped", r.OK(), k, r.Connections.Drops)
		}
	}
	slices.Sort(without)
	slices.Sort(with)
	middle := rounds / 2
	t.Logf("in the middle: p99 %.1f ms without, %.1f ms with: %.2f times", without[middle], with[middle], with[middle]/without[middle])
	if *rotationFor > 0 && with[middle] > slower*without[middle] {
		t.Errorf("more than %v times", slower)
	}
}

func inMS(r *loadtest.Report) float64 { return r.ToPeer.P99.Seconds() * 1000 }

// rotateByCommand returns what rotates keys as an operator does, by the commands, in processes of their own. The server takes the new key
// from its file.
func rotateByCommand(t *testing.T, url string) func(context.Context, *store.DB, *vault.Secret) (int, time.Duration, error) {
	t.Helper()
	binary, file := filepath.Join(t.TempDir(), "tidechart"), filepath.Join(t.TempDir(), "keys")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../cmd/tidechart").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := vault.WriteFile(file, demotest.Secret()); err != nil {
		t.Fatal(err)
	}
	return func(ctx context.Context, db *store.DB, secret *vault.Secret) (wrapped int, took time.Duration, err error) {
		begin := time.Now()
		for _, command := range []string{"rotate", "rewrap", "retire"} {
			out, err := exec.CommandContext(ctx, binary, "keys", command, "--keys", file, "--database-url", url).Output()
			if err != nil {
				return 0, 0, fmt.Errorf("%s: %w: %s", command, err, out)
			}
			if command == "rewrap" {
				_, err = fmt.Sscan(string(out), &wrapped)
			} else {
				*secret, err = vault.ReadFile(file)
			}
			if err != nil {
				return 0, 0, err
			}
			if err := db.FollowKeys(ctx, secret); err != nil {
				return 0, 0, err
			}
		}
		return wrapped, time.Since(begin), nil
	}
}

// rotateHere does the same in this process.
func rotateHere(ctx context.Context, db *store.DB, secret *vault.Secret) (wrapped int, took time.Duration, err error) {
	begin := time.Now()
	old, err := db.KeysInUse(ctx)
	if err != nil {
		return 0, 0, err
	}
	*secret = secret.Rotated()
	v, err := vault.New(*secret)
	if err != nil {
		return 0, 0, err
	}
	err = db.AloneWithKeys(ctx, func() error {
		if err := db.Rotate(ctx, v.ID()); err != nil {
			return err
		}
		if err := db.FollowKeys(ctx, secret); err != nil {
			return err
		}
		done, bad, err := db.Rewrap(ctx, v, store.Rewrapping{By: v.Rewrap, Progress: func(int) {}})
		if wrapped = done; err == nil && bad > 0 {
			err = fmt.Errorf("%d data keys do not open", bad)
		}
		if err != nil {
			return err
		}
		for _, id := range old {
			err = errors.Join(err, db.Retire(ctx, id))
		}
		return err
	})
	return wrapped, time.Since(begin), err
}

// addDataKeys adds data keys of notes that nobody opens.
func addDataKeys(t *testing.T, db *store.DB, n int) {
	t.Helper()
	v, err := vault.New(demotest.Secret())
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		name := vault.Name{Scope: vault.OfNote, Owner: uuid.New(), Epoch: 1}
		_, w, err := v.NewKey(name)
		if err == nil {
			_, err = db.InsertDataKey(t.Context(), queries.InsertDataKeyParams{
				Scope: int16(name.Scope), Owner: name.Owner, Epoch: 1, FromSeq: 1, Kek: w.KEK[:], Wrapped: w.Sealed, Commitment: w.Commitment, Tag: w.Tag,
			})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
