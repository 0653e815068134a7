package sessions

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"
)

// Conn is a WebSocket as sessions see it: whole binary messages in both directions. One goroutine reads, another
// writes. Closing it is its owner's business.
type Conn interface {
	// Read returns the next message, of limit bytes at most, which the caller may keep; a larger one is [TooLarge].
	// A [*CloseError] ends the socket with its code; any other error means that the peer is gone.
	Read(ctx context.Context, limit int) ([]byte, error)
	// Write sends messages in their order. It fails if the peer has not taken all of them by then.
	Write(by time.Time, messages [][]byte) error
	// Cut ends a Write under way, and fails all later ones.
	Cut()
}

// protocol is how one kind of client speaks. All methods but keepAlive run on the socket's reading goroutine.
type protocol interface {
	// handle takes one message. An error ends the socket.
	handle(ctx context.Context, message []byte) error
	// granted reports whether anything has been granted: until then messages are small.
	granted() bool
	// keepAlive returns a harmless message to send when there was nothing to say for a while; nil for none.
	keepAlive() []byte
	// leave ends what the socket takes part in.
	leave()
}

// socket is one connection: a goroutine that reads, and one that writes what the outbox holds.
type socket struct {
	conn   Conn
	log    *slog.Logger
	out    *outbox
	ctx    context.Context // ends, with the reason as its cause, when the socket fails
	cancel context.CancelCauseFunc

	// Owned by the reading goroutine.
	pace    pace
	updates int // what the message being handled counts for
}

// errGone is the reason when the peer went away by itself.
var errGone = errors.New("peer gone")

// fail ends the socket; the first reason counts. It does not wait.
func (s *socket) fail(reason error) { s.cancel(reason) }

// serve runs a socket until it fails, and returns why: a [*CloseError], or an error of conn. The caller closes
// conn, which ends the reading goroutine.
func (h *Hub) serve(ctx context.Context, conn Conn, speak func(*socket) protocol) error {
	s := &socket{conn: conn, log: h.log, out: newOutbox(), pace: newPace(h.allow, time.Now())}
	s.ctx, s.cancel = context.WithCancelCause(ctx)
	if err := h.addSocket(s); err != nil {
		return refusal(err)
	}
	defer h.removeSocket(s)
	p := speak(s)
	h.running.Go(func() { s.read(p) })
	s.write(p)
	return context.Cause(s.ctx)
}

func (s *socket) read(p protocol) {
	defer p.leave()
	defer func() { // a panic ends this socket, not the server
		if v := recover(); v != nil { // its value may quote content; the stack does not
			s.log.Error("socket panics", "stack", string(debug.Stack()))
			s.fail(Malformed(errPanic))
		}
	}()
	for {
		limit := MaxEarlyFrame
		if p.granted() {
			limit = MaxFrame
		}
		message, err := s.conn.Read(context.WithoutCancel(s.ctx), limit)
		if err == nil {
			if s.ctx.Err() != nil {
				return // a reason to end it came first
			}
			s.updates = 0
			if err = p.handle(s.ctx, message); err == nil {
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

func (s *socket) write(p protocol) {
	// Writing outlives the socket's end by a moment, so that what was said before it is still heard.
	defer context.AfterFunc(s.ctx, func() { time.AfterFunc(flushTimeout, s.conn.Cut) })()
	quiet := time.NewTicker(keepAliveEvery)
	defer quiet.Stop()
	for {
		select {
		case <-s.out.ready:
			quiet.Reset(keepAliveEvery)
			if err := s.flush(); err != nil {
				s.fail(fmt.Errorf("%w: %w", errGone, err))
				return
			}
			s.out.catchUp(s.ctx)
		case <-quiet.C:
			if message := p.keepAlive(); message != nil {
				s.out.push(message)
			}
		case <-s.ctx.Done():
			if !errors.Is(context.Cause(s.ctx), errGone) {
				_ = s.flush() // the last words; nobody is left to tell if they fail
			}
			return
		}
	}
}

// flush writes what the outbox holds, as much at once as a line takes easily.
func (s *socket) flush() error {
	for {
		frames, size := s.out.next()
		if len(frames) == 0 {
			return nil
		}
		patience := writeTimeout + time.Duration(size)*time.Second/minWriteRate
		if err := s.conn.Write(time.Now().Add(patience), frames); err != nil {
			return err
		}
	}
}
