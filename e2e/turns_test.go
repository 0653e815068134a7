package e2e

import (
	"strings"
	"sync"
	"testing"
)

// atOnce is how many parallel tests work at the same time. They wait more than they work.
const atOnce = 6

// The testing package starts parallel tests in no order. So it starts all of them, and each waits for its turn, but for those that
// wait for minutes by themselves: these begin with the first, and end before the last.
const startAll = "1000"

var (
	turns = make(chan struct{}, atOnce)
	begun sync.Map // names of tests that have their turn, or need none
)

// takeTurn waits for the turn of a test, unless that, or one that it is a part of, has begun. It begins before its first server.
func takeTurn(t *testing.T) {
	for name := t.Name(); name != ""; name = name[:max(0, strings.LastIndexByte(name, '/'))] {
		if _, is := begun.Load(name); is {
			return
		}
	}
	turns <- struct{}{}
	begun.Store(t.Name(), true)
	t.Cleanup(func() {
		begun.Delete(t.Name())
		<-turns
	})
}

// idles says that a test waits for minutes, and hardly works.
func idles(t *testing.T) {
	begun.Store(t.Name(), true)
	t.Cleanup(func() { begun.Delete(t.Name()) })
}
