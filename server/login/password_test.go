package login

import (
	"context"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/clisonix/tidechart/internal/needs"
	"github.com/clisonix/tidechart/server/store/queries"
)

func TestPassword(t *testing.T) {
	phc := HashPassword("correct horse")
	if phc == HashPassword("correct horse") {
		t.Error("two hashes of one password are equal: no salt")
	}
	if !needs.Raced && !strings.HasPrefix(phc, "$argon2id$v=19$m=19456,t=2,p=1$") { // make test looks without the race detector, too
		t.Errorf("hash is %s", phc)
	}
	for password, want := range map[string]bool{
		"correct horse": true, "correct horse ": false, " correct horse": false, "Correct horse": false, "correct hors": false, "": false,
		strings.Repeat("x", maxPassword+1): false,
	} {
		if got, err := checkPassword(t.Context(), phc, password); got != want || err != nil {
			t.Errorf("checkPassword(%.20q) = %v, %v", password, got, err)
		}
	}
}

// TestLongPasswordsCountWhole: none is cut before it is hashed, and each character of it counts.
func TestLongPasswordsCountWhole(t *testing.T) {
	long := strings.Repeat("seven grey gulls ", maxPassword/17)
	phc := HashPassword(long)
	for password, want := range map[string]bool{long: true, long[:len(long)-1]: false, long[:72]: false, strings.TrimSpace(long): false} {
		if got, err := checkPassword(t.Context(), phc, password); got != want || err != nil {
			t.Errorf("%d of %d bytes: %v, %v", len(password), len(long), got, err)
		}
	}
}

// TestShortestPassword has fifteen characters, of whatever alphabet.
func TestShortestPassword(t *testing.T) {
	owner := queries.Person{Name: "Ines Duarte RN", Username: "duarte"}
	for password, want := range map[string]bool{
		"grey gulls 7 up": false, "grey gulls 7 u": true, "潮が満ちて来る港で七羽の鴎が": true, "潮が満ちて来る港で七羽の鴎が鳴": false,
	} {
		if got := weak(password, owner); got != want {
			t.Errorf("a password of %d characters is weak: %v", utf8.RuneCountInString(password), got)
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
