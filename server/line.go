package server

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// Sizes of what each connection keeps. A keystroke is a hundred bytes; what is larger passes the buffers by.
const (
	readBuffer  = 512
	writeBuffer = 256      // a frame of control, and the head of any other
	maxHeld     = 16 << 10 // that is written at once

	controlTimeout = 5 * time.Second // of writing a ping, a pong or a close
)

// line is a connection that can hold what is written, so that many frames cost one system call.
type line struct {
	net.Conn

	mu   sync.Mutex    // held while writing, for some seconds at most: frames cannot pass each other. Close needs no lock
	held *bytes.Buffer // not nil: what is written is held
	by   time.Time     // when what is held must have been taken
}

// buffers are for what lines hold: few do at any time.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// hold has what is written wait for release, except for what is large.
func (l *line) hold(by time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.by = by
	if l.held == nil {
		l.held = buffers.Get().(*bytes.Buffer)
	}
}

// release writes what is held, and holds no more.
func (l *line) release() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.drain()
	buffers.Put(l.held)
	l.held = nil
	return err
}

// drain writes what is held. The caller holds mu.
func (l *line) drain() error {
	if l.held.Len() == 0 {
		return nil
	}
	err := l.SetWriteDeadline(l.by)
	if err == nil {
		_, err = l.Conn.Write(l.held.Bytes())
	}
	l.held.Reset()
	return err
}

func (l *line) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	by := l.by
	if l.held == nil {
		by = time.Now().Add(controlTimeout)
	} else if l.held.Len()+len(p) <= maxHeld {
		return l.held.Write(p)
	} else if err := l.drain(); err != nil {
		return 0, err
	}
	if err := l.SetWriteDeadline(by); err != nil {
		return 0, err
	}
	return l.Conn.Write(p)
}

// upgrade gives a WebSocket a line, and smaller buffers than HTTP has.
type upgrade struct {
	http.ResponseWriter
	line *line
}

func (u *upgrade) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	under, had, err := http.NewResponseController(u.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	u.line = &line{Conn: under}
	early := had.Reader.Buffered() // read with the request: it stays in the buffer
	// Of a bufio.Reader NewReaderSize makes no smaller one: it must not know that it is one.
	r := bufio.NewReaderSize(struct{ io.Reader }{had.Reader}, max(readBuffer, early))
	if _, err := r.Peek(early); err != nil {
		return nil, nil, err
	}
	return u.line, bufio.NewReadWriter(r, bufio.NewWriterSize(u.line, writeBuffer)), nil
}
