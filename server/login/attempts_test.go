package login

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// TestTriesComeBack one by one, and those of the right password at once.
func TestTriesComeBack(t *testing.T) {
	a, now := newAttempts(), time.Now()
	begin := func() (func(), error) { return a.begin(now, strangersGuesses, "chen") }
	for i := range int(strangersGuesses.most) {
		if _, err := begin(); err != nil {
			t.Fatalf("try %d: %v", i, err)
		}
	}
	var many *TooManyTries
	if _, err := begin(); !errors.As(err, &many) || many.Wait != strangersGuesses.back {
		t.Fatalf("one more: %v", err)
	}
	if _, err := a.begin(now, strangersGuesses, "rivera"); err != nil {
		t.Errorf("somebody else: %v", err)
	}
	if _, err := a.begin(now, knownGuesses, "chen"); err != nil {
		t.Errorf("a browser of hers: %v", err)
	}
	now = now.Add(strangersGuesses.back)
	right, err := begin()
	if err != nil {
		t.Fatal(err)
	}
	right()
	if _, err := begin(); err != nil {
		t.Errorf("after the right one: %v", err)
	}
	if _, err := begin(); err == nil {
		t.Error("half a minute brings more than one back")
	}
}

// TestTriesAreBounded in memory, and who is not counted apart is counted.
func TestTriesAreBounded(t *testing.T) {
	a, now := newAttempts(), time.Now()
	refused := 0
	for i := range maxTried + 100 {
		if _, err := a.begin(now, strangersGuesses, fmt.Sprint(i)); err != nil {
			refused++
		}
	}
	if len(a.tried) > maxTried || refused != 100-int(strangersGuesses.most) {
		t.Errorf("%d are kept, %d refused; want %d and %d", len(a.tried), refused, maxTried, 100-int(strangersGuesses.most))
	}
	now = now.Add(strangersGuesses.back)
	if _, err := a.begin(now, strangersGuesses, "new"); err != nil || len(a.tried) != 1 {
		t.Errorf("later: %v, and %d are kept", err, len(a.tried))
	}
}
