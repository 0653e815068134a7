package sessions

import (
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
	type piece struct {
		of  crdt.ClockRange
		say strings.Builder
	}
	pieces, by := make([][]*piece, len(losses)), make(map[crdt.ClientID][]*piece)
	s := search{store: h.store, note: note, seq: losses[0].Seq}
	for i, l := range losses {
		for _, r := range l.Text {
			p := &piece{of: r.ClockRange}
			pieces[i], by[r.Client] = append(pieces[i], p), append(by[r.Client], p)
		}
		s.seq = min(s.seq, l.FirstSeq-1)
	}
	err := s.rows(ctx, losses[0].Seq, func(_ Row, u *crdt.Update) error {
		for _, r := range u.Ranges() {
			for _, p := range by[r.Client] {
				if p.of.From < r.To && p.of.To > r.From {
					p.say.WriteString(u.Text(crdt.ClockRange{Client: r.Client, From: max(r.From, p.of.From), To: min(r.To, p.of.To)}))
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read lost text: %w", err)
	}
	texts := make([]LostText, len(losses))
	for i, l := range losses {
		var words strings.Builder
		for k, p := range pieces[i] {
			if k > 0 && l.Text[k].Paragraph != l.Text[k-1].Paragraph {
				words.WriteByte('\n')
			}
			words.WriteString(p.say.String())
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
