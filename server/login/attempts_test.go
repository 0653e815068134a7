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
	begin := func() (func(), error) { return a.begin(now, triesAt("chen", nil, "192.0.2.1")...) }
	for i := range strangersTries {
		if _, err := begin(); err != nil {
			t.Fatalf("try %d: %v", i, err)
		}
	}
	var many *TooManyTries
	if _, err := begin(); !errors.As(err, &many) || many.Wait != oneMoreAfter {
		t.Fatalf("one more: %v", err)
	}
	if _, err := a.begin(now, triesAt("rivera", nil, "192.0.2.1")...); err != nil {
		t.Errorf("somebody else: %v", err)
	}
	if _, err := a.begin(now, triesAt("chen", []byte("hers"), "192.0.2.1")...); err != nil {
		t.Errorf("a browser of hers: %v", err)
	}
	now = now.Add(oneMoreAfter)
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
		if _, err := a.begin(now, countOf{fmt.Sprint(i), strangersTries, oneMoreAfter}); err != nil {
			refused++
		}
	}
	if len(a.tried) > maxTried || refused != 100-strangersTries {
		t.Errorf("%d are kept, %d refused; want %d and %d", len(a.tried), refused, maxTried, 100-strangersTries)
	}
	now = now.Add(oneMoreAfter)
	if _, err := a.begin(now, countOf{"new", strangersTries, oneMoreAfter}); err != nil || len(a.tried) != 1 {
		t.Errorf("later: %v, and %d are kept", err, len(a.tried))
	}
}

// TestNetworksAreCounted: one password tried with many names is many tries, but not of people in browsers of theirs.
func TestNetworksAreCounted(t *testing.T) {
	a, now := newAttempts(), time.Now()
	for i := range networkTries {
		if _, err := a.begin(now, triesAt(fmt.Sprint(i), nil, "192.0.2.1")...); err != nil {
			t.Fatalf("name %d: %v", i, err)
		}
	}
	var many *TooManyTries
	if _, err := a.begin(now, triesAt("one more", nil, "192.0.2.1")...); !errors.As(err, &many) || many.Wait != oneMoreFrom {
		t.Errorf("one more name: %v", err)
	}
	if _, err := a.begin(now, triesFrom("192.0.2.1")); err == nil {
		t.Error("a code from there is tried")
	}
	for name, counts := range map[string][]countOf{
		"from elsewhere": triesAt("one more", nil, "192.0.2.2"), "a known browser there": triesAt("chen", []byte("hers"), "192.0.2.1"),
	} {
		if _, err := a.begin(now, counts...); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if t1 := a.of(triesAt("one more", nil, "")[0], now); t1.used > 1 {
		t.Errorf("a try that was refused counts for its name: %v", t1.used)
	}
	if _, err := a.begin(now.Add(oneMoreFrom), triesFrom("192.0.2.1")); err != nil {
		t.Errorf("later: %v", err)
	}
}
