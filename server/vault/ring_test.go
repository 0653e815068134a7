package vault

import (
	"bytes"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"
)

// TestRotation: a data key that is wrapped anew is the same one; the old key opens what it wrapped until it is gone, and the
// new one is of the same hospital.
func TestRotation(t *testing.T) {
	secret := NewSecret()
	rotated := secret.Rotated()
	ids, err := rotated.IDs()
	if err != nil || len(ids) != 2 || ids[0] == ids[1] {
		t.Fatal(ids, err)
	}
	v, err := New(secret)
	if err != nil {
		t.Fatal(err)
	}
	name, at := somebody(), Place{Kind: AppSecret, Schema: 1}
	key, old := v.mustKey(t, name)
	record := key.Seal(at, []byte("secret"))

	if missing := v.Follow([]KeyID{ids[1], ids[0]}); !slices.Equal(missing, ids[1:]) || v.ID() != ids[0] {
		t.Errorf("missing %v, sealing with %v", missing, v.ID())
	}
	if err := v.Take(rotated); err != nil {
		t.Fatal(err)
	}
	if v.ID() != ids[0] {
		t.Error("a key that the database does not name seals")
	}
	if missing := v.Follow([]KeyID{ids[1], ids[0]}); missing != nil || v.ID() != ids[1] {
		t.Errorf("missing %v, sealing with %v", missing, v.ID())
	}
	anew, err := v.Rewrap(name, old)
	if err != nil || anew.KEK != ids[1] || !bytes.Equal(anew.Commitment, old.Commitment) || bytes.Equal(anew.Sealed, old.Sealed) {
		t.Fatalf("wrapped anew to %v, %v", anew.KEK, err)
	}
	for _, w := range []Wrapped{old, anew} {
		again, err := v.Unwrap(name, w)
		if err != nil {
			t.Fatal(err)
		}
		if plain, err := again.Open(at, record); err != nil || string(plain) != "secret" {
			t.Errorf("opens as %q, %v", plain, err)
		}
	}
	mixed := anew
	mixed.KEK = ids[0]
	if _, err := v.Unwrap(name, mixed); !errors.Is(err, ErrTampered) {
		t.Errorf("said to be wrapped to the other key: %v", err)
	}

	if missing := v.Follow(ids[1:]); missing != nil {
		t.Error(missing)
	}
	if _, err := v.Unwrap(name, old); err != nil {
		t.Errorf("a key that the file has is forgotten: %v", err)
	}
	rest, _, err := rotated.Split(ids[:1])
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Take(rest); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Unwrap(name, old); err != nil {
		t.Errorf("a key that may be in use is forgotten: %v", err)
	}
	v.Follow([]KeyID{ids[1], ids[0]})
	if _, err := v.Unwrap(name, old); err != nil {
		t.Errorf("a key that is in use is forgotten: %v", err)
	}
	v.Follow(ids[1:])
	if _, err := v.Unwrap(name, old); !errors.Is(err, ErrOtherKey) {
		t.Errorf("a key that nothing has any more opens: %v", err)
	}
	if _, err := v.Rewrap(name, old); !errors.Is(err, ErrOtherKey) {
		t.Errorf("and is wrapped anew: %v", err)
	}
	if _, err := v.Unwrap(name, anew); err != nil {
		t.Error(err)
	}
	if v.Follow(nil); v.ID() != ids[1] {
		t.Error("with nothing in use nothing seals")
	}
	if err := v.Take(NewSecret()); err == nil {
		t.Error("keys of another hospital are taken")
	}
	if _, err := New(Secret{tenant: uuid.New()}); err == nil {
		t.Error("a vault of no key")
	}
}

// TestRotationMeanwhile: who seals and opens does not notice.
func TestRotationMeanwhile(t *testing.T) {
	secret := NewSecret()
	v, err := New(secret)
	if err != nil {
		t.Fatal(err)
	}
	var done sync.WaitGroup
	for range 2 {
		done.Go(func() {
			for range 50 {
				name := somebody()
				_, w, err := v.NewKey(name)
				if err == nil {
					_, err = v.Unwrap(name, w)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 5 {
		secret = secret.Rotated()
		ids, err := secret.IDs()
		if err != nil {
			t.Fatal(err)
		}
		if err := v.Take(secret); err != nil {
			t.Fatal(err)
		}
		slices.Reverse(ids)
		if missing := v.Follow(ids); missing != nil || v.ID() != ids[0] {
			t.Errorf("missing %v", missing)
		}
	}
	done.Wait()
}
