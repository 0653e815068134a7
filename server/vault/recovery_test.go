package vault

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// recoverable is a vault with a recovery key, and the files of its shares.
func recoverable(t testing.TB) (Secret, *Vault, [Shares]string) {
	t.Helper()
	secret, shares, err := NewSecret().WithRecovery()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var files [Shares]string
	for i, s := range shares {
		files[i] = filepath.Join(dir, fmt.Sprintf("share-%d", i+1))
		if err := s.WriteFile(files[i]); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "keys")
	if err := WriteFile(path, secret); err != nil {
		t.Fatal(err)
	}
	read, err := ReadFile(path)
	if err != nil || !read.Equal(secret) {
		t.Fatalf("read back as another: %v", err)
	}
	v, err := New(read)
	if err != nil {
		t.Fatal(err)
	}
	return secret, v, files
}

func mustRead(t testing.TB, file string) Share {
	t.Helper()
	s, err := ReadShare(file)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// mustValue is what a share says of the secret.
func mustValue(t testing.TB, file string) []byte {
	s := mustRead(t, file)
	return s.value[:]
}

// TestRecovery: any two shares open what the lost key wrapped, for a new key of the same hospital; and the recovery key stays the same.
func TestRecovery(t *testing.T) {
	secret, lost, files := recoverable(t)
	id, _ := secret.RecoveryID()
	name, at := somebody(), Place{Kind: AppSecret, Schema: 1}
	key, w := lost.mustKey(t, name)
	record := key.Seal(at, []byte("secret"))
	if !lost.CanRecover(name, w) {
		t.Fatal("it is not wrapped to the recovery key")
	}
	for i, file := range files {
		value := sharing.NewScalar()
		if err := value.UnmarshalBinary(mustValue(t, file)); err != nil {
			t.Fatal(err)
		}
		if pair, err := recoveryPair(secret.tenant, value); err != nil || pair.id == id {
			t.Errorf("share %d alone is the key: %v", i+1, err)
		}
	}
	for _, pair := range [][2]int{{0, 1}, {0, 2}, {1, 2}, {2, 1}} {
		r, err := Recover(mustRead(t, files[pair[0]]), mustRead(t, files[pair[1]]))
		if err != nil || r.ID() != id {
			t.Fatalf("shares %v: %v", pair, err)
		}
		anew := r.NewSecret()
		v, err := New(anew)
		if err != nil {
			t.Fatal(err)
		}
		if same, has := anew.RecoveryID(); !has || same != id || anew.Equal(secret) {
			t.Error("the new secret has another recovery key, or the old key")
		}
		again, err := r.Rewrap(v, name, w)
		if err != nil || again.KEK != v.ID() || !v.CanRecover(name, again) {
			t.Fatalf("wrapped anew to %v, %v", again.KEK, err)
		}
		opened, err := v.Unwrap(name, again)
		if err != nil {
			t.Fatal(err)
		}
		if plain, err := opened.Open(at, record); err != nil || string(plain) != "secret" {
			t.Errorf("%q, %v", plain, err)
		}
	}
}

// TestRecoveryIsNotForged: what somebody who writes in the database puts in the place of what servers wrapped to the recovery key does not
// open, and is seen before anybody needs it.
func TestRecoveryIsNotForged(t *testing.T) {
	secret, v, files := recoverable(t)
	r, err := Recover(mustRead(t, files[0]), mustRead(t, files[2]))
	if err != nil {
		t.Fatal(err)
	}
	name := somebody()
	_, good := v.mustKey(t, name)
	_, other := v.mustKey(t, somebody())
	mine := bytes.Repeat([]byte{1}, keySize)
	theirs := newRecipient(v.tenant, secret.recovery.public, make([]byte, keySize)) // they may know the public key
	forged, err := theirs.wrap(name, mine)
	if err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func(*Wrapped){
		"gone":                  func(w *Wrapped) { w.Recovery = nil },
		"another's":             func(w *Wrapped) { w.Recovery = other.Recovery },
		"another key's":         func(w *Wrapped) { w.Recovery.KEK = v.ID() },
		"a bit of it":           func(w *Wrapped) { w.Recovery.Sealed = bytes.Clone(w.Recovery.Sealed); w.Recovery.Sealed[200] ^= 1 },
		"its tag":               func(w *Wrapped) { w.Recovery.Tag = make([]byte, keySize) },
		"no tag":                func(w *Wrapped) { w.Recovery.Tag = nil },
		"a data key of theirs":  func(w *Wrapped) { w.Recovery = &Recoverable{KEK: forged.KEK, Sealed: forged.Sealed, Tag: forged.Tag} },
		"with their commitment": func(w *Wrapped) { w.Commitment = forged.Commitment },
	} {
		w := good
		same := *good.Recovery
		w.Recovery = &same
		change(&w)
		if v.CanRecover(name, w) {
			t.Errorf("%s: it seems recoverable", what)
		}
		if _, err := r.Rewrap(v, name, w); !errors.Is(err, ErrTampered) && !errors.Is(err, ErrOtherKey) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if !v.CanRecover(name, good) {
		t.Error("unchanged it is not recoverable")
	}
}

// TestSharesThatDoNotFit: one twice, of two keys, changed, misread, or none.
func TestSharesThatDoNotFit(t *testing.T) {
	_, _, files := recoverable(t)
	_, _, others := recoverable(t)
	a, b := mustRead(t, files[0]), mustRead(t, files[1])
	changed := b
	changed.value[3] ^= 1
	renumbered := b
	renumbered.number = 3
	for what, pair := range map[string][2]Share{
		"one twice": {a, a}, "of two keys": {a, mustRead(t, others[1])}, "a changed one": {a, changed}, "another number": {a, renumbered},
	} {
		if _, err := Recover(pair[0], pair[1]); err == nil {
			t.Errorf("%s: they make a key", what)
		}
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(files[0]); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	for what, text := range map[string]string{
		"empty": "", "comments": "# share\n", "cut short": strings.TrimSpace(string(text))[:250], "two": string(text) + string(text),
		"lower case": strings.ToLower(string(text)), "a key": NewSecret().line(0),
	} {
		path := filepath.Join(t.TempDir(), "share")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadShare(path); err == nil {
			t.Errorf("%s: it is read", what)
		}
	}
	if err := a.WriteFile(files[1]); !errors.Is(err, os.ErrExist) {
		t.Errorf("over another share: %v", err)
	}
	for _, printed := range []string{fmt.Sprint(a), fmt.Sprintf("%v %+v %#v %s", a, a, a, a)} {
		if strings.Contains(printed, fmt.Sprintf("%d", a.value[0:4])) || !strings.Contains(printed, "[share]") {
			t.Errorf("printed: %s", printed)
		}
	}
}

// TestRecoveryInKeyFiles: it stays when keys are rotated, goes with a rest, is one, and of the same hospital.
func TestRecoveryInKeyFiles(t *testing.T) {
	secret, v, _ := recoverable(t)
	id, _ := secret.RecoveryID()
	rotated := secret.Rotated()
	ids, err := rotated.IDs()
	if err != nil {
		t.Fatal(err)
	}
	rest, taken, err := rotated.Split(ids[:1])
	if err != nil {
		t.Fatal(err)
	}
	if has, ok := rest.RecoveryID(); !ok || has != id {
		t.Error("it is gone with the old key")
	}
	if _, ok := taken.RecoveryID(); ok {
		t.Error("it is with the retired key")
	}
	other, _, _ := recoverable(t)
	for what, text := range map[string]string{
		"two":                  secret.line(0) + "\n" + recoveryLine(secret.recovery) + "\n" + recoveryLine(secret.recovery),
		"of another hospital":  secret.line(0) + "\n" + recoveryLine(other.recovery),
		"alone":                recoveryLine(secret.recovery),
		"damaged":              secret.line(0) + "\n" + recoveryLine(secret.recovery)[:1500],
		"with another's bytes": secret.line(0) + "\n" + line(recoveryPrefix, secret.tenant[:], make([]byte, keySize), bytes.Repeat([]byte{0xff}, publicSize)),
	} {
		if _, err := Parse([]byte(text)); err == nil {
			t.Errorf("%s: it is read", what)
		}
	}
	if err := v.Take(rest); err != nil {
		t.Fatal(err)
	}
	if has, ok := v.RecoveryID(); !ok || has != id {
		t.Error("a vault that takes it has none")
	}
	without := rest
	without.recovery = nil
	if err := v.Take(without); err != nil {
		t.Fatal(err)
	}
	if _, w := v.mustKey(t, somebody()); w.Recovery != nil {
		t.Error("without one it is wrapped to one")
	}
}
