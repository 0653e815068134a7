package store_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/internal/needs"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/vault"
	"github.com/clisonix/tidechart/sessions"
)

// rotated gives a hospital one more key-encryption key, which no server has read yet.
func (h *hospital) rotated(t *testing.T) vault.KeyID {
	t.Helper()
	h.secret = h.secret.Rotated()
	h.vault = vaultOf(t, h.secret)
	if err := h.db.AloneWithKeys(t.Context(), func() error { return h.db.Rotate(t.Context(), h.vault.ID()) }); err != nil {
		t.Fatal(err)
	}
	return h.vault.ID()
}

// rewrap wraps all data keys to the newest key.
func (h hospital) rewrap(t *testing.T, tell ...func(told int)) (done, bad int) {
	t.Helper()
	told := 0
	done, bad, err := h.db.Rewrap(t.Context(), h.vault, store.Rewrapping{By: h.vault.Rewrap, Progress: func(n int) {
		told += n
		for _, f := range tell {
			f(told)
		}
	}})
	if err != nil || told != done+bad {
		t.Fatalf("%d done, %d bad, %d told, %v", done, bad, told, err)
	}
	return done, bad
}

// TestRotationWhileSessionsWrite: a server that runs takes the new key, all is wrapped to it, the old one goes, and of what was written
// and begun all the while nothing is lost. Afterwards the new key alone opens everything.
func TestRotationWhileSessionsWrite(t *testing.T) {
	h := open(t)
	h.useApp(t, h.author, first)
	var notes []sessions.NoteID
	for range 250 { // more than are wrapped at once
		notes = append(notes, h.newNote(t))
	}
	old := h.vault.ID()

	var writers sync.WaitGroup
	theirs := h // the keys of h change below
	stop, calm := make(chan struct{}), make(chan struct{})
	written, begun := make([]int, 2), make([][]sessions.NoteID, 2)
	for w := range written {
		writers.Go(func() {
			seldom := time.NewTicker(store.PaceLook)
			defer seldom.Stop()
			for {
				b := sessions.Batch{ID: uuid.New(), Entries: []sessions.Entry{{Note: notes[w], Author: theirs.author, Update: fmt.Appendf(nil, "writer %d, %d", w, written[w])}}}
				if placed, err := theirs.db.Append(context.WithoutCancel(t.Context()), b); err != nil || len(placed) != 1 || placed[0].First == 0 {
					t.Error(placed, err)
					return
				}
				written[w]++
				begun[w] = append(begun[w], theirs.newNote(t))
				select {
				case <-calm:
					select {
					case <-seldom.C:
					case <-stop:
					}
				default:
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	running := h.vault // of the server
	newest := h.rotated(t)
	if err := h.db.FollowKeys(t.Context(), &h.secret); err != nil || running.ID() != newest {
		t.Errorf("the server seals with %v: %v", running.ID(), err)
	}
	if all, without, err := h.db.Holders(t.Context(), newest); all != 1 || without != 0 || err != nil {
		t.Errorf("%d servers, %d without, %v", all, without, err)
	}
	// It goes key by key while others write in haste, and many at once when they write now and then.
	calmed := sync.OnceFunc(func() { close(calm) })
	before := 0 // keys that were wrapped in their haste
	done, bad := h.rewrap(t, func(told int) {
		if told < 20 {
			before = told
			return
		}
		calmed()
	})
	if done < 251 || bad > 0 || before < 10 {
		t.Errorf("%d wrapped, %d of them in haste; %d do not open", done, before, bad)
	}
	close(stop)
	writers.Wait()
	h.rewrap(t) // what was being begun when the key changed
	if all, left, err := h.db.ToRewrap(t.Context(), h.vault); left > 0 || all < 251 || err != nil {
		t.Errorf("%d of %d are left, %v", left, all, err)
	}
	if err := h.db.Retire(t.Context(), old); err != nil {
		t.Fatal(err)
	}

	rest, gone, err := h.secret.Split([]vault.KeyID{old})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), h.url, vaultOf(t, gone)); !errors.Is(err, store.ErrOtherKeys) {
		t.Errorf("with the retired key: %v", err)
	}
	h.vault = vaultOf(t, rest)
	h.db = h.fresh(t)
	notes = slices.Concat(append([][]sessions.NoteID{notes}, begun...)...)
	for i, note := range notes {
		want := 1
		if i < len(written) {
			want += written[i]
		}
		log := h.log(t, note)
		if len(log) != want {
			t.Fatalf("note %d has %d rows, want %d", i, len(log), want)
		}
		for j := 1; j < want; j++ {
			if string(log[j].Update) != fmt.Sprintf("writer %d, %d", i, j-1) {
				t.Fatalf("row %d is %q", j, log[j].Update)
			}
		}
	}
	if written[0] == 0 || written[1] == 0 || len(notes) == 250 {
		t.Errorf("nothing was written meanwhile: %v", written)
	}
	if secret, err := h.db.AppSecret(t.Context(), h.author); err != nil || string(secret) != first {
		t.Errorf("app: %q, %v", secret, err)
	}
}

// TestRewrapGoesOn where it was stopped, leaves alone what does not open, and keeps the key that this needs.
func TestRewrapGoesOn(t *testing.T) {
	h := open(t)
	for range 3 {
		h.newNote(t)
	}
	damaged, old := h.newNote(t), h.vault.ID()
	h.must(t, `UPDATE data_key SET tag = set_byte(tag, 0, get_byte(tag, 0) # 1) WHERE owner = $1`, damaged)
	h.rotated(t)

	h.must(t, `CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''stopped''; END'`)
	h.must(t, `CREATE TRIGGER stop BEFORE UPDATE ON data_key FOR EACH ROW EXECUTE FUNCTION stop()`)
	if _, _, err := h.db.Rewrap(t.Context(), h.vault, store.Rewrapping{By: h.vault.Rewrap, Progress: func(int) {}}); err == nil {
		t.Error("it is not stopped")
	}
	h.must(t, `DROP TRIGGER stop ON data_key`)
	if _, left, err := h.db.ToRewrap(t.Context(), h.vault); left != 7 || err != nil {
		t.Errorf("%d left, %v", left, err)
	}
	for _, want := range []int{6, 0} { // the keys of the patient, the hospital and the log of acts, too
		if done, bad := h.rewrap(t); done != want || bad != 1 {
			t.Errorf("%d done, %d bad", done, bad)
		}
	}
	if err := h.db.Retire(t.Context(), old); !errors.Is(err, store.ErrKeyNeeded) {
		t.Errorf("a key that is needed is retired: %v", err)
	}
	h.must(t, `ALTER TABLE data_key DISABLE TRIGGER USER`)
	h.must(t, `DELETE FROM data_key WHERE owner = $1`, damaged)
	if err := h.db.Retire(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	// A server of before, which nobody has told: the database takes nothing from it that nobody could open.
	stale := vaultOf(t, h.onlyOld(t))
	_, w, err := stale.NewKey(vault.Name{Scope: vault.OfNote, Owner: damaged, Epoch: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.exec(t, `INSERT INTO data_key (scope, owner, epoch, from_seq, kek, wrapped, commitment, tag) VALUES (2, $1, 1, 1, $2, $3, $4, $5)`,
		damaged, w.KEK[:], w.Sealed, w.Commitment, w.Tag); err == nil {
		t.Error("something is wrapped to a retired key")
	}

	// Each of it is on record.
	if err := h.db.FollowKeys(t.Context(), &h.secret); err != nil {
		t.Fatal(err)
	}
	step(t, h.sequencer(t))
	var got []string
	entries, _ := h.entries(t)
	for _, e := range entries {
		if strings.HasPrefix(string(e.Act), "key.") {
			got = append(got, fmt.Sprintf("%s %s %s", e.Act, e.Outcome, strings.NewReplacer(old.String(), "OLD", h.vault.ID().String(), "NEW").Replace(e.Code)))
		}
	}
	want := []string{
		"key.adopt done key=OLD", "key.rotate done key=NEW", "key.rewrap done key=NEW begun=7", "key.rewrap failed key=NEW wrapped=0",
		"key.rewrap done key=NEW begun=7", "key.rewrap failed key=NEW wrapped=6 bad=1", "key.rewrap done key=NEW begun=1", "key.rewrap failed key=NEW wrapped=0 bad=1",
		"key.retire done key=OLD",
	}
	if len(got) > 3 {
		got[3], _, _ = strings.Cut(got[3], " bad=") // the damaged one may have come first
	}
	if !slices.Equal(got, want) {
		t.Errorf("on record\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// onlyOld is the secret with its oldest key alone.
func (h hospital) onlyOld(t *testing.T) vault.Secret {
	t.Helper()
	ids, err := h.secret.IDs()
	if err != nil {
		t.Fatal(err)
	}
	_, old, err := h.secret.Split(ids[:1])
	if err != nil {
		t.Fatal(err)
	}
	return old
}

// TestServersTellTheirKeys: until all that run have a key, nothing should be wrapped to it, and who was not heard of for long does
// not count.
func TestServersTellTheirKeys(t *testing.T) {
	h := open(t)
	holders := func(id vault.KeyID, wantAll, wantWithout int) {
		t.Helper()
		if all, without, err := h.db.Holders(t.Context(), id); all != wantAll || without != wantWithout || err != nil {
			t.Errorf("%d servers, %d without, %v; want %d, %d", all, without, err, wantAll, wantWithout)
		}
	}
	old := h.secret
	if err := h.db.FollowKeys(t.Context(), &old); err != nil {
		t.Fatal(err)
	}
	another, err := store.Open(t.Context(), h.url, vaultOf(t, old))
	if err != nil {
		t.Fatal(err)
	}
	if err := another.FollowKeys(t.Context(), &old); err != nil {
		t.Fatal(err)
	}
	newest := h.rotated(t)
	holders(newest, 2, 2)
	if err := another.FollowKeys(t.Context(), nil); !errors.Is(err, store.ErrOtherKeys) {
		t.Errorf("without a file to read: %v", err)
	}
	if err := another.FollowKeys(t.Context(), &old); !errors.Is(err, store.ErrOtherKeys) {
		t.Errorf("without the newest key: %v", err)
	}
	if err := h.db.FollowKeys(t.Context(), &h.secret); err != nil {
		t.Fatal(err)
	}
	holders(newest, 2, 1)
	another.Close() // and lets go of its keys
	holders(newest, 1, 0)
	h.must(t, `UPDATE key_holder SET seen_at = now() - interval '31 seconds'`)
	holders(newest, 0, 0)

	foreign := vault.NewSecret()
	if err := h.db.FollowKeys(t.Context(), &foreign); err == nil {
		t.Error("keys of another hospital are taken")
	}
	if _, err := store.Open(t.Context(), h.url, vaultOf(t, old)); !errors.Is(err, store.ErrOtherKeys) {
		t.Errorf("a server without the newest key starts: %v", err)
	}
}

// TestKeysAreChangedByOneAtATime.
func TestKeysAreChangedByOneAtATime(t *testing.T) {
	h := open(t)
	another := h.fresh(t)
	err := h.db.AloneWithKeys(t.Context(), func() error {
		return another.AloneWithKeys(t.Context(), func() error { return nil })
	})
	if !errors.Is(err, store.ErrKeysBusy) {
		t.Errorf("two at a time: %v", err)
	}
	if err := another.AloneWithKeys(t.Context(), func() error { return nil }); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// dataKeys is how many of them TestManyDataKeysAreRewrapped measures.
var (
	dataKeys   = flag.Int("datakeys", 2_000, "data keys to wrap anew")
	dataKeysIn = flag.Duration("datakeys.in", 0, "how long that may take; 0: as long as it takes on a busy machine")
)

// TestManyDataKeysAreRewrapped, which are wrapped to a recovery key as well, at the rate that 100,000 of them need to be done in 3 minutes; on a
// busy machine, where making keys takes longer by itself, in twenty-five times what they take to make, since wrapping anew unwraps first, stores, and rests.
func TestManyDataKeysAreRewrapped(t *testing.T) {
	const bar = 100_000.0 / (3 * 60) // a second
	h, n := open(t), *dataKeys
	secret, _, err := h.secret.WithRecovery()
	if err != nil {
		t.Fatal(err)
	}
	h.secret, h.vault = secret, vaultOf(t, secret)
	if needs.Raced { // which says nothing about time, and takes ten times as much of it
		n = min(n, 500)
	}
	keys := make([][]any, 0, n)
	begin := time.Now()
	for range n {
		name := vault.Name{Scope: vault.OfNote, Owner: uuid.New(), Epoch: 1}
		_, w, err := h.vault.NewKey(name)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, []any{int16(name.Scope), name.Owner, int32(1), int64(1), w.KEK[:], w.Sealed, w.Commitment, w.Tag, w.Recovery.KEK[:], w.Recovery.Sealed, w.Recovery.Tag})
	}
	made := time.Since(begin)
	h.copyIn(t, "data_key", []string{"scope", "owner", "epoch", "from_seq", "kek", "wrapped", "commitment", "tag", "recovery", "recovery_wrapped", "recovery_tag"}, keys)
	h.rotated(t)
	begin = time.Now()
	done, bad := h.rewrap(t)
	took := time.Since(begin) - store.PaceLook // in which it does not know yet that it is alone
	t.Logf("%d data keys in %v: %.0f a second; 100,000 would take %v; made in %v", done, took.Round(time.Millisecond), float64(done)/took.Seconds(),
		(took * 100_000 / time.Duration(n)).Round(time.Second), made.Round(time.Millisecond))
	if done < n || bad > 0 {
		t.Errorf("%d done, %d bad", done, bad)
	}
	if rate := float64(done) / took.Seconds(); *dataKeysIn == 0 && rate < bar && took > 25*made && !needs.Raced {
		t.Errorf("%.0f a second, the bar is %.0f; they were made in %v", rate, bar, made)
	}
	if *dataKeysIn > 0 && took > *dataKeysIn {
		t.Errorf("it may take %v", *dataKeysIn)
	}
}

// TestRecoverWithoutAnyKey: the key file is gone, with all its keys; two shares open every data key for a new one, also those of
// before there was a recovery key. Who stops in between goes on. The database forgets the lost key.
func TestRecoverWithoutAnyKey(t *testing.T) {
	h := open(t)
	ctx, lost := t.Context(), h.vault.ID()
	h.useApp(t, h.author, first)
	before, _ := h.written(t, 5)
	secret, shares, err := h.secret.WithRecovery()
	if err != nil {
		t.Fatal(err)
	}
	h.secret = secret
	if err := h.db.FollowKeys(ctx, &h.secret); err != nil {
		t.Fatal(err)
	}
	later, _ := h.written(t, 5)
	damaged := h.newNote(t)
	h.must(t, `UPDATE data_key SET recovery_tag = set_byte(recovery_tag, 0, get_byte(recovery_tag, 0) # 1) WHERE owner = $1`, damaged)
	checked, err := h.db.CheckKeys(ctx, h.vault, func(int) {})
	if notes := checked[vault.OfNote]; notes != (store.Checked{All: 3, Unrecoverable: 2}) || err != nil {
		t.Errorf("%+v, %v", notes, err)
	}
	if done, bad := h.rewrap(t); done != 5 || bad > 0 { // the app, the note of before, the patient, the hospital, and the log of acts
		t.Errorf("%d done, %d bad", done, bad)
	}

	r, err := vault.Recover(shares[2], shares[0])
	if err != nil {
		t.Fatal(err)
	}
	found := vaultOf(t, r.NewSecret())
	open, err := store.Open(ctx, h.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	if err := open.Rotate(ctx, found.ID()); err != nil {
		t.Fatal(err)
	}
	by := func(name vault.Name, w vault.Wrapped) (vault.Wrapped, error) { return r.Rewrap(found, name, w) }
	done, bad, err := open.Rewrap(ctx, found, store.Rewrapping{By: by, Progress: func(int) {}})
	if done != 6 || bad != 1 || err != nil {
		t.Errorf("%d done, %d bad, %v", done, bad, err)
	}
	if err := open.Retire(ctx, lost); !errors.Is(err, store.ErrKeyNeeded) {
		t.Errorf("the lost key is given up for something that it alone opens: %v", err)
	}
	h.must(t, `ALTER TABLE data_key DISABLE TRIGGER USER`)
	h.must(t, `DELETE FROM data_key WHERE owner = $1`, damaged)
	if err := open.Retire(ctx, lost); err != nil {
		t.Fatal(err)
	}

	h.vault = found
	h.db = h.fresh(t)
	for _, note := range []sessions.NoteID{before, later} {
		if log := h.log(t, note); len(log) != 6 {
			t.Errorf("%d rows", len(log))
		}
	}
	if secret, err := h.db.AppSecret(ctx, h.author); err != nil || string(secret) != first {
		t.Errorf("app: %q, %v", secret, err)
	}
	if checked, err := h.db.CheckKeys(ctx, found, func(int) {}); checked[vault.OfNote] != (store.Checked{All: 2}) || err != nil {
		t.Errorf("%+v, %v", checked, err)
	}
}
