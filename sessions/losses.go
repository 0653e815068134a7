package sessions

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clisonix/tidechart/crdt"
)

// LostText is a loss with what it says, one paragraph a line.
type LostText struct {
	Loss
	Words string
}

// Losses lists what updates of a note have removed unseen, the newest first, [LossQuery.Limit] at most, and no more
// than 200. What was committed before the call is searched, unless that takes long; then it is listed some time later.
// It returns [ErrNoNote] for an unknown note.
func (h *Hub) Losses(ctx context.Context, note NoteID, q LossQuery) ([]LostText, error) {
	if err := h.catchUpLosses(ctx, note); err != nil {
		return nil, err
	}
	q.Limit = min(q.Limit, maxLosses)
	losses, err := h.store.Losses(ctx, note, q)
	if err != nil || len(losses) == 0 {
		return nil, err
	}
	return h.words(ctx, note, losses)
}

// catchUpLosses waits a while for the search that a session has before it, or searches what no session has.
func (h *Hub) catchUpLosses(ctx context.Context, note NoteID) error {
	h.mu.Lock()
	s := h.sessions[note]
	h.mu.Unlock()
	if s != nil {
		searched := make(chan struct{})
		err := s.call(ctx, func() {
			if (s.guard.searching || s.guard.suspect) && len(s.guard.waiting) < maxInbox {
				s.guard.waiting = append(s.guard.waiting, searched)
			} else {
				close(searched)
			}
		})
		if err == nil {
			select {
			case <-searched:
				return nil
			case <-time.After(searchPatience):
				return nil
			case <-s.done:
			case <-ctx.Done():
				return ctx.Err()
			}
		} else if !errors.Is(err, ErrEnded) {
			return err
		}
	}
	head, searched, err := h.store.Searched(ctx, note)
	if err != nil || head <= max(searched, 1) {
		return err
	}
	_, _, err = h.findLosses(ctx, note, searched, head)
	if errors.Is(err, errUnsearched) {
		h.log.Error("lost text not found", "note", note, "err", err)
		return nil
	}
	return err
}

// words reads from the log what losses say, which are the newest first.
func (h *Hub) words(ctx context.Context, note NoteID, losses []Loss) ([]LostText, error) {
	s := search{store: h.store, note: note, seq: losses[0].Seq}
	var ranges []crdt.ClockRange
	for _, l := range losses {
		for _, r := range l.Text {
			ranges = append(ranges, r.ClockRange)
		}
		s.seq = min(s.seq, l.FirstSeq-1)
	}
	slices.SortFunc(ranges, func(a, b crdt.ClockRange) int {
		return cmp.Or(cmp.Compare(a.Client, b.Client), cmp.Compare(a.From, b.From))
	})
	said := make(map[crdt.ClockRange]string, len(ranges)) // text is lost once
	err := s.rows(ctx, losses[0].Seq, func(_ Row, u *crdt.Update) error {
		u.Texts(ranges, func(i int, _ crdt.ID, text string) { said[ranges[i]] += text })
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read lost text: %w", err)
	}
	texts := make([]LostText, len(losses))
	for i, l := range losses {
		var words strings.Builder
		for k, r := range l.Text {
			if k > 0 && r.Paragraph != l.Text[k-1].Paragraph {
				words.WriteByte('\n')
			}
			words.WriteString(said[r.ClockRange])
		}
		texts[i] = LostText{l, words.String()}
	}
	return texts, nil
}

// SettleLosses records what their author did about losses, and returns how many of them were theirs and not settled
// before. The author's other editors are told.
func (h *Hub) SettleLosses(ctx context.Context, note NoteID, author PersonID, losses []LossID, how Remedy) (int, error) {
	if len(losses) > maxLosses {
		return 0, over(maxLosses, "losses at once")
	}
	slices.SortFunc(losses, LossID.compare) // two at a time lock in one order
	n, err := h.store.SettleLosses(ctx, note, author, losses, how)
	if err != nil || n == 0 {
		return n, err
	}
	h.mu.Lock()
	s := h.sessions[note]
	h.mu.Unlock()
	if s != nil {
		_ = s.do(ctx, func() { s.tellLosses(func(p PersonID) bool { return p == author }) }) // whoever is not told asks later
	}
	return n, nil
}
