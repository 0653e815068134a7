package sessions

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Conn is a WebSocket as sessions see it: whole binary messages in both directions. One goroutine reads, and one at a
// time writes or offers.
type Conn interface {
	// Read returns the next message, of limit bytes at most, which the caller may keep; a larger one is [TooLarge].
	// A [*CloseError] ends the socket with its code; any other error means that the peer is gone.
	Read(ctx context.Context, limit int) ([]byte, error)
	// Offer writes as many of messages, in their order, as can be written without waiting, and returns how many: none
	// while a Write is under way, or if there is anything wrong, which Write says. It keeps nothing of messages.
	Offer(messages [][]byte) int
	// Write sends messages in their order. It fails if the peer has not taken all of them by then.
	Write(by time.Time, messages [][]byte) error
	// Cut ends a Write under way, and fails all later ones.
	Cut()
	// Close ends the connection, so that Read fails. If why is a [*CloseError], the peer is told.
	Close(why error)
}

// protocol is how one kind of client speaks. All methods but keepAlive run on the socket's reading goroutine.
type protocol interface {
	// handle takes one message. An error ends the socket.
	handle(ctx context.Context, message []byte) error
	// granted reports whether anything has been granted: until then messages are small.
	granted() bool
	// keepAlive returns a harmless message to send when there was nothing to say for a while; nil for none.
	keepAlive() []byte
	// owesStep2 reports whether a Step2 is due: until then messages are large.
	owesStep2() bool
	// leave ends what the socket takes part in.
	leave()
}

// socket is one connection: a goroutine that reads, and while the outbox holds something one that writes.
type socket struct {
	out    outbox
	conn   Conn
	spoke  atomic.Bool // something was written since keepAlive looked
	hub    *Hub
	ctx    context.Context // ends, with the reason as its cause, when the socket fails
	cancel context.CancelCauseFunc
	failed atomic.Bool
	closed sync.WaitGroup // the last writer has closed conn

	// Owned by the reading goroutine.
	pace    pace
	updates int       // what the message being handled counts for
	heard   time.Time // when the message before came
	run     int       // messages so far with no busyGap between them
}

// When a socket is busy: after so many messages with no such gap between them.
const busyAfter, busyGap = 16, time.Second

// errGone is the reason when the peer went away by itself.
var errGone = errors.New("peer gone")

// fail ends the socket; the first reason counts. It does not wait.
func (s *socket) fail(reason error) {
	s.cancel(reason)
	if s.failed.Swap(true) {
		return
	}
	// Writing outlives the socket's end by a moment, so that what was said before it is still heard.
	time.AfterFunc(flushTimeout, s.conn.Cut)
	s.out.finish()
}

// serve runs a socket until it fails, closes conn, and returns why: a [*CloseError], or an error of conn.
func (h *Hub) serve(ctx context.Context, conn Conn, speak func(*socket) protocol) error {
	s, err := h.begin(ctx, conn)
	if err != nil {
		return err
	}
	defer h.removeSocket(s) // whatever becomes of it, panics too
	s.read(s.introduce(speak))
	s.closed.Wait()
	return context.Cause(s.ctx)
}

// begin adds a socket to the hub. It is apart, for its stack: that of serve is kept by every connection.
//
//go:noinline
func (h *Hub) begin(ctx context.Context, conn Conn) (*socket, error) {
	s := &socket{conn: conn, hub: h, pace: newPace(h.allow, time.Now())}
	s.out.socket = s
	s.ctx, s.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	s.closed.Add(1) // before anything can end the socket: its writer takes it back
	if err := h.addSocket(s); err != nil {
		reason := refusal(err)
		conn.Close(reason)
		return nil, reason
	}
	if ctx.Done() != nil {
		context.AfterFunc(ctx, func() { s.fail(context.Cause(ctx)) })
	}
	return s, nil
}

// introduce begins to speak a protocol; apart, like begin.
//
//go:noinline
func (s *socket) introduce(speak func(*socket) protocol) (p protocol) {
	aside(func() { p = speak(s) })
	s.stayAlive(p)
	return p
}

// stayAlive says something harmless when nothing else was said for keepAliveEvery; two of them may pass until then.
func (s *socket) stayAlive(p protocol) {
	time.AfterFunc(keepAliveEvery, func() {
		if s.ctx.Err() != nil {
			return
		}
		if !s.spoke.Swap(false) {
			if message := p.keepAlive(); message != nil {
				s.out.push(message)
			}
		}
		s.stayAlive(p)
	})
}

func (s *socket) read(p protocol) {
	defer p.leave()
	defer func() {
		if v := recover(); v != nil {
			s.panicked(v)
		}
	}()
	for {
		message, err := s.next(p)
		if err == nil {
			if s.ctx.Err() != nil {
				return // a reason to end it came first
			}
			s.updates = 0
			if s.busy(time.Now()) {
				err = p.handle(s.ctx, message)
			} else {
				aside(func() { err = p.handle(s.ctx, message) })
			}
			if err == nil {
				err = s.slowDown(len(message))
			}
		} else if reason := new(CloseError); !errors.As(err, &reason) {
			err = fmt.Errorf("%w: %w", errGone, err)
		}
		if err != nil {
			s.fail(err)
			return
		}
	}
}

// busy reports whether messages come one soon after the other. What handles them needs a larger stack than waiting for
// them does, which who seldom says anything is not to keep.
func (s *socket) busy(now time.Time) bool {
	if now.Sub(s.heard) > busyGap {
		s.run = 0
	}
	s.heard = now
	s.run = min(s.run+1, busyAfter)
	return s.run == busyAfter
}

// slowDown waits after a message of that many bytes for as long as its sender is too fast.
func (s *socket) slowDown(bytes int) error {
	wait, err := s.pace.take(time.Now(), bytes, s.updates)
	if err != nil || wait == 0 {
		return err
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.ctx.Done():
	}
	return nil
}

// offer writes what can be written without waiting, and returns how many frames that was.
func (s *socket) offer(frames [][]byte) int {
	n := s.conn.Offer(frames)
	if n > 0 && !s.spoke.Load() {
		s.spoke.Store(true)
	}
	return n
}

func (s *socket) startWriter() { s.hub.running.Go(s.write) }

// write writes until the outbox is empty. It closes the connection if the socket has ended by then.
func (s *socket) write() {
	if !s.drain() {
		return
	}
	defer s.closed.Done()
	s.conn.Close(context.Cause(s.ctx))
}

// drain writes until the outbox is empty, and reports whether the socket has ended by then.
func (s *socket) drain() (over bool) {
	defer func() {
		if v := recover(); v != nil {
			s.panicked(v)
			over = true
		}
	}()
	for {
		if err := s.flush(); err != nil {
			s.fail(fmt.Errorf("%w: %w", errGone, err))
			return true
		}
		s.out.catchUp(s.ctx)
		if rests, over := s.out.rest(); rests {
			return over
		}
	}
}

// panicked ends this socket, not the server. What a panic says may quote content; the stack does not.
func (s *socket) panicked(v any) {
	s.hub.log.Error("socket panics", "stack", string(stackOf(v)))
	s.fail(Malformed(errPanic))
}

// flush writes what the outbox holds, as much at once as a line takes easily.
func (s *socket) flush() error {
	for {
		frames, size := s.out.next()
		if len(frames) == 0 || errors.Is(context.Cause(s.ctx), errGone) {
			return nil
		}
		s.spoke.Store(true)
		patience := writeTimeout + time.Duration(size)*time.Second/minWriteRate
		if err := s.conn.Write(time.Now().Add(patience), frames); err != nil {
			return err
		}
	}
}
