package transittest

import (
	"io"
	"net"
	"sync"
	"testing"
)

// line is between a service and whoever asks it.
type line struct {
	t        testing.TB
	listener net.Listener
	to       string

	mu    sync.Mutex
	state lineState
	conns map[net.Conn]bool
}

type lineState int

const (
	whole  lineState = iota
	cut              // nothing gets through, at once
	silent           // nothing gets through, and nobody is told
)

func newLine(t testing.TB, to string) *line {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &line{t: t, listener: listener, to: to, conns: make(map[net.Conn]bool)}
	go l.run()
	t.Cleanup(func() { _ = listener.Close(); l.set(cut) })
	return l
}

func (l *line) cut()  { l.set(cut) }
func (l *line) hang() { l.set(silent) }
func (l *line) mend() { l.set(whole) }

// set ends all connections of before.
func (l *line) set(state lineState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state = state
	for c := range l.conns {
		_ = c.Close()
	}
	clear(l.conns)
}

// keep reports what the line is, and ends conn with it.
func (l *line) keep(conn net.Conn) lineState {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns[conn] = true
	return l.state
}

func (l *line) run() {
	for {
		conn, err := l.listener.Accept()
		if err != nil {
			return
		}
		switch l.keep(conn) {
		case cut:
			_ = conn.Close()
		case whole:
			go l.carry(conn)
		}
	}
}

func (l *line) carry(conn net.Conn) {
	behind, err := net.Dial("tcp", l.to)
	if err != nil {
		_ = conn.Close()
		return
	}
	l.keep(behind)
	go func() { _, _ = io.Copy(behind, conn); _ = behind.Close() }()
	_, _ = io.Copy(conn, behind)
	_ = conn.Close()
}
