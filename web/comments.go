package web

import (
	"context"
	"strconv"
	"time"

	"github.com/clisonix/tidechart/web/words"
)

// CommentsView is what people said to each other about a note.
type CommentsView struct {
	Threads []ThreadView // the oldest first
	Now     time.Time
}

// open counts the threads that are not resolved.
func (v CommentsView) open() (n int) {
	for _, t := range v.Threads {
		if !t.Resolved {
			n++
		}
	}
	return n
}

// resolved counts the others.
func (v CommentsView) resolved() int { return len(v.Threads) - v.open() }

// ThreadView is one thread.
type ThreadView struct {
	ID       string
	Acts     int    // that were done in it; it has changed if there are more
	Quote    string // the text that it is about, as it was; empty: it is about the whole note
	Comments []CommentView
	MayWrite bool

	Start, End string // ids of the first and the last character of that text where it stands now
	Words      string // what it was when an editor said so
	Known      string // state vector of the document then, in base64

	Resolved   bool
	ResolvedBy string
	ResolvedAt time.Time

	LastBy  string // who did something in it last
	LastOwn bool   // that was whoever looks
}

// CommentView is what somebody said.
type CommentView struct {
	N         int
	By        Person
	At        time.Time
	Words     string // as it is now
	Own       bool   // of who looks, who may change it
	Removed   bool
	ChangedAt time.Time // or removed; zero: it is as it was
	Earlier   []string  // what it said before, the oldest first
}

// says is how many there are.
func (v CommentsView) says(ctx context.Context) string {
	switch n := v.open(); {
	case len(v.Threads) == 0:
		return words.Say(ctx, "Nobody has said anything about this note.")
	case n == 0:
		return words.Say(ctx, "All threads are resolved.")
	default:
		return words.Count(ctx, n, "{n} open thread", "{n} open threads")
	}
}

func commentNumber(n int) string { return strconv.Itoa(n) }
