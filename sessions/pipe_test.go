package sessions_test

import (
	"context"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/clisonix/tidechart/sessions"
)

// pipe is a Conn in memory: the other implementation beside the WebSocket.
type pipe struct {
	in     chan []byte // to the server
	out    chan []byte // from the server; unbuffered: the client reads or the server waits
	closed chan struct{}
	once   sync.Once

	cut     chan struct{} // closed by Cut
	cutOnce sync.Once

	mu     sync.Mutex
	groups []int // how many messages were given to each Offer and Write
}

func (p *pipe) note(messages [][]byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.groups = append(p.groups, len(messages))
}

func (p *pipe) close() { p.once.Do(func() { close(p.closed) }) }

func newPipe() *pipe {
	return &pipe{in: make(chan []byte), out: make(chan []byte), closed: make(chan struct{}), cut: make(chan struct{})}
}

func (p *pipe) Read(ctx context.Context, limit int) ([]byte, error) {
	select {
	case b := <-p.in:
		if len(b) > limit {
			return nil, sessions.TooLarge()
		}
		return b, nil
	case <-p.closed:
		return nil, io.EOF
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Offer gives the client what it is waiting for.
func (p *pipe) Offer(messages [][]byte) (taken int) {
	p.note(messages)
	for _, b := range messages {
		select {
		case p.out <- slices.Clone(b):
			taken++
		default:
			return taken
		}
	}
	return taken
}

func (p *pipe) Write(by time.Time, messages [][]byte) error {
	p.note(messages)
	late := time.NewTimer(time.Until(by))
	defer late.Stop()
	for _, b := range messages {
		select {
		case p.out <- slices.Clone(b):
		case <-p.closed:
			return io.ErrClosedPipe
		case <-p.cut:
			return os.ErrDeadlineExceeded
		case <-late.C:
			return os.ErrDeadlineExceeded
		}
	}
	return nil
}

func (p *pipe) Close(error) { p.close() }

func (p *pipe) Cut() { p.cutOnce.Do(func() { close(p.cut) }) }
