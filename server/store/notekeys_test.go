package store

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/sessions"
)

// TestKeysAreLookedUpOnce by however many ask at once; what failed is asked for again, and what is old as well.
func TestKeysAreLookedUpOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, note := newKeyCache(), uuid.New()
		looked, answer := 0, make(chan error)
		look := func() (*keySet, error) {
			looked++
			if err := <-answer; err != nil {
				return nil, err
			}
			return &keySet{until: time.Now().Add(keysKept)}, nil
		}
		ask := func(n int, say error) (failed int) {
			results := make(chan error)
			for range n {
				go func() {
					_, err := c.get(t.Context(), note, look)
					results <- err
				}()
			}
			synctest.Wait()
			answer <- say
			for range n {
				if <-results != nil {
					failed++
				}
			}
			return failed
		}
		if failed := ask(5, errors.New("away")); failed != 5 || looked != 1 {
			t.Errorf("%d failed, looked %d times", failed, looked)
		}
		if failed := ask(5, nil); failed != 0 || looked != 2 {
			t.Errorf("%d failed, looked %d times", failed, looked)
		}
		looked = 0
		if _, err := c.get(t.Context(), note, look); err != nil || looked != 0 {
			t.Errorf("it is not kept: %v", err)
		}
		time.Sleep(keysKept)
		go func() { answer <- nil }()
		if _, err := c.get(t.Context(), note, look); err != nil || looked != 1 {
			t.Errorf("it is kept for too long: %v, %d", err, looked)
		}
		time.Sleep(keysKept)
		for range 2 { // the key-encryption key is away: what is known stays known
			go func() { answer <- fmt.Errorf("data key: %w", sessions.ErrSealed) }()
			if k, err := c.get(t.Context(), note, look); err != nil || k == nil {
				t.Errorf("what was unwrapped before is forgotten: %v", err)
			}
			time.Sleep(keysAgain)
		}
		go func() { answer <- fmt.Errorf("data key: %w", sessions.ErrSealed) }()
		if _, err := c.get(t.Context(), uuid.New(), look); !errors.Is(err, sessions.ErrSealed) {
			t.Errorf("what never was: %v", err)
		}
		over, cancel := context.WithCancel(t.Context())
		c.forget(note)
		go func() { _, _ = c.get(t.Context(), note, look) }()
		synctest.Wait()
		cancel()
		if _, err := c.get(over, note, look); !errors.Is(err, context.Canceled) {
			t.Errorf("who cannot wait waits: %v", err)
		}
		answer <- nil
	})
}

// TestKeysKeptAreBounded: the ones used last stay.
func TestKeysKeptAreBounded(t *testing.T) {
	c, first := newKeyCache(), uuid.New()
	look := func() (*keySet, error) { return &keySet{until: time.Now().Add(keysKept)}, nil }
	for range maxNoteKeys {
		for _, note := range []uuid.UUID{first, uuid.New()} {
			if _, err := c.get(t.Context(), note, look); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(c.notes) != maxNoteKeys || c.order.Len() != maxNoteKeys || c.notes[first] == nil {
		t.Errorf("%d notes, %d in order", len(c.notes), c.order.Len())
	}
}

// TestForgottenKeysAreNotKept by whoever looked them up before they were destroyed, and is slow to say so.
func TestForgottenKeysAreNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, owner := newKeyCache(), uuid.New()
		old := &keySet{until: time.Now().Add(keysKept)}
		looking := make(chan struct{})
		go func() {
			_, _ = c.get(t.Context(), owner, func() (*keySet, error) { <-looking; return old, nil })
		}()
		synctest.Wait()
		_, missing, asOf := c.held([]uuid.UUID{owner})
		c.forget(owner)
		close(looking)
		synctest.Wait()
		c.keep(owner, old, asOf)
		if there, _, _ := c.held(missing); len(missing) != 1 || len(there) != 0 {
			t.Errorf("%d of %d are kept", len(there), len(missing))
		}
	})
}
