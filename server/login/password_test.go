package login

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func TestPassword(t *testing.T) {
	phc := HashPassword("correct horse")
	if phc == HashPassword("correct horse") {
		t.Error("two hashes of one password are equal: no salt")
	}
	if !strings.HasPrefix(phc, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("hash is %s", phc)
	}
	for password, want := range map[string]bool{
		"correct horse": true, "correct horse ": false, "": false, strings.Repeat("x", maxPassword+1): false,
	} {
		if got, err := checkPassword(t.Context(), phc, password); got != want || err != nil {
			t.Errorf("checkPassword(%.20q) = %v, %v", password, got, err)
		}
	}
}

func TestMalformedHashLetsNobodyIn(t *testing.T) {
	for _, phc := range []string{"", "correct horse", "$argon2id$v=19$m=1,t=1,p=1$!$!", "$1$2$3"} {
		if ok, err := checkPassword(t.Context(), phc, "correct horse"); ok || !errors.Is(err, errMalformedHash) {
			t.Errorf("checkPassword(%q) = %v, %v", phc, ok, err)
		}
	}
}

// TestHashingWaitsItsTurn, but no longer than who asked.
func TestHashingWaitsItsTurn(t *testing.T) {
	for range maxHashing {
		hashing <- struct{}{}
	}
	defer func() {
		for range maxHashing {
			<-hashing
		}
	}()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	phc := HashPassword("x")
	for range maxQueueing {
		queueing <- struct{}{}
	}
	if ok, err := checkPassword(t.Context(), phc, "x"); ok || !errors.Is(err, ErrBusy) {
		t.Errorf("with a full queue: %v, %v", ok, err)
	}
	for range maxQueueing {
		<-queueing
	}
	if ok, err := checkPassword(ctx, HashPassword("x"), "x"); ok || !errors.Is(err, context.Canceled) {
		t.Errorf("checkPassword = %v, %v", ok, err)
	}
}
