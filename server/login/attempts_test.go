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
	begin := func() (func(), error) { return tryPassword(a, now, "chen", nil, "192.0.2.1") }
	for i := range int(strangersGuesses.most) {
		if _, err := begin(); err != nil {
			t.Fatalf("try %d: %v", i, err)
		}
	}
	var many *TooManyTries
	if _, err := begin(); !errors.As(err, &many) || many.Wait != strangersGuesses.back {
		t.Fatalf("one more: %v", err)
	}
	if _, err := tryPassword(a, now, "rivera", nil, "192.0.2.1"); err != nil {
		t.Errorf("somebody else: %v", err)
	}
	if _, err := tryPassword(a, now, "chen", []byte("hers"), "192.0.2.1"); err != nil {
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
		if _, err := a.begin(now, strangersGuesses.of(fmt.Sprint(i))); err != nil {
			refused++
		}
	}
	if len(a.tried) > maxTried || refused != 100-int(strangersGuesses.most) {
		t.Errorf("%d are kept, %d refused; want %d and %d", len(a.tried), refused, maxTried, 100-int(strangersGuesses.most))
	}
	now = now.Add(strangersGuesses.back)
	if _, err := a.begin(now, strangersGuesses.of("new")); err != nil || len(a.tried) != 1 {
		t.Errorf("later: %v, and %d are kept", err, len(a.tried))
	}
}

// tryPassword takes what a password's try counts for.
func tryPassword(a *attempts, now time.Time, username string, device []byte, network string) (func(), error) {
	passwords, _ := triesAt(username, device, network)
	return a.begin(now, passwords...)
}

// TestGuessingElsewhereLocksNobodyOut of a browser that is new to them; and a name is not guessed without end from many networks.
func TestGuessingElsewhereLocksNobodyOut(t *testing.T) {
	a, now := newAttempts(), time.Now()
	guess := func(network string) (n int, err error) {
		for ; err == nil; n++ {
			_, err = tryPassword(a, now, "chen", nil, network)
		}
		return n - 1, err
	}
	if n, _ := guess("198.51.100.1"); n != int(strangersGuesses.most) {
		t.Errorf("%d guesses from one network", n)
	}
	if _, err := tryPassword(a, now, "chen", nil, "192.0.2.1"); err != nil {
		t.Errorf("she herself, from another: %v", err)
	}
	all, err := int(strangersGuesses.most)+1, error(nil)
	for i := 2; i < 100; i++ {
		var n int
		n, err = guess(fmt.Sprintf("198.51.100.%d", i))
		all += n
	}
	var many *TooManyTries
	if all != int(everywhereGuesses.most) || !errors.As(err, &many) || many.Wait != everywhereGuesses.back {
		t.Errorf("%d guesses from 100 networks, then %v", all, err)
	}
	if _, err := tryPassword(a, now, "chen", []byte("hers"), "198.51.100.1"); err != nil {
		t.Errorf("a browser of hers: %v", err)
	}
}

// TestNetworksAreCounted: one password tried with many names is many tries, but not of people in browsers of theirs.
func TestNetworksAreCounted(t *testing.T) {
	a, now := newAttempts(), time.Now()
	for i := range int(networkGuesses.most) {
		if _, err := tryPassword(a, now, fmt.Sprint(i), nil, "192.0.2.1"); err != nil {
			t.Fatalf("name %d: %v", i, err)
		}
	}
	var many *TooManyTries
	if _, err := tryPassword(a, now, "one more", nil, "192.0.2.1"); !errors.As(err, &many) || many.Wait != networkGuesses.back {
		t.Errorf("one more name: %v", err)
	}
	if _, err := a.begin(now, networkGuesses.of("192.0.2.1")); err == nil {
		t.Error("an invitation's code from there is tried")
	}
	if _, err := tryPassword(a, now, "one more", nil, "192.0.2.2"); err != nil {
		t.Errorf("from elsewhere: %v", err)
	}
	if _, err := tryPassword(a, now, "chen", []byte("hers"), "192.0.2.1"); err != nil {
		t.Errorf("a known browser there: %v", err)
	}
	if one := a.of(strangersGuesses.of("192.0.2.1 one more"), now); one.used > 1 {
		t.Errorf("a try that was refused counts for its name: %v", one.used)
	}
	if _, err := a.begin(now.Add(networkGuesses.back), networkGuesses.of("192.0.2.1")); err != nil {
		t.Errorf("later: %v", err)
	}
}
