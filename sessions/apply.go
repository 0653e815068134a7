package sessions

import (
	"context"
	"fmt"

	"github.com/clisonix/tidechart/crdt"
)

// Apply admits one update like a peer's and returns once it is committed, with the seq it got, or with the
// note's newest seq if it held nothing new. It returns [ErrReadOnly], [ErrAccessUnknown], [ErrStaleEditor], [ErrUndeclared], [ErrRefused], [ErrAmbiguous], [ErrRejected], an error
// that is [crdt.ErrMalformed], [ErrNoNote], or [ErrEnded] or ctx's error, after which the outcome is unknown; applying the same
// update again is harmless.
func (h *Hub) Apply(ctx context.Context, note NoteID, grant Grant, update []byte) (seq uint64, err error) {
	decoded, err := crdt.DecodeUpdate(update)
	if err != nil {
		return 0, fmt.Errorf("update of %d bytes: %w", len(update), err)
	}
	if grant.ReadOnly {
		return 0, ErrReadOnly
	}
	s, err := h.acquire(ctx, note)
	if err != nil {
		return 0, err
	}
	defer h.release(s)
	participation, err := s.recordJoin(ctx, grant.Author, grant.Device)
	if err != nil {
		return 0, err
	}
	defer s.recordLeave(participation)

	type answer struct {
		seq uint64
		err error
	}
	answers := make(chan answer, 1)
	f := &frame{author: grant.Author, editor: editorOf(grant.Schema), stamp: grant.Stamp, update: decoded, settled: func(seq uint64, err error) { answers <- answer{seq, err} }}
	if err := s.do(ctx, func() { s.receive(f) }); err != nil {
		return 0, err
	}
	select {
	case a := <-answers:
		if why := whyForged(a.err); why != "" { // an update of its own, as often as requests may come
			s.recordForgery(Forgery{Author: grant.Author.ID, Participation: participation, Why: why, Updates: 1})
		}
		return a.seq, a.err
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-s.done:
		select {
		case a := <-answers:
			return a.seq, a.err
		default:
			return 0, ErrEnded
		}
	}
}
