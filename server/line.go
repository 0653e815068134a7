package server

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"
)

// Sizes of what each connection keeps. A keystroke is a hundred bytes; what is larger passes the buffers by.
const (
	readBuffer  = 256
	writeBuffer = 128      // the largest frame of control has 127
	maxHeld     = 16 << 10 // that is written at once

	controlTimeout = 5 * time.Second // of writing a ping, a pong or a close
)

// line is the connection under a WebSocket. Messages are framed here: the library would take three locks for each, and
// a system call. Its own frames, of control, pass through Write, each by one call.
type line struct {
	net.Conn
	raw syscall.RawConn // of a socket that is written as it is; nil: of one under TLS, or a pipe

	mu sync.Mutex // held while writing, for some seconds at most: frames cannot pass each other. Close needs no lock
}

// over makes l the line over a connection, and returns it.
func (l *line) over(under net.Conn) *line {
	l.Conn = under
	if socket, is := under.(syscall.Conn); is {
		l.raw, _ = socket.SyscallConn() // nil if it is closed already
	}
	return l
}

func (l *line) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.SetWriteDeadline(time.Now().Add(controlTimeout)); err != nil {
		return 0, err
	}
	return l.Conn.Write(p)
}

// buffers are for frames on their way: few lines write at any time.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// send writes messages as binary frames, many by one system call. It fails if they are not taken by then.
func (l *line) send(by time.Time, messages [][]byte) error {
	held := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(held)
	held.Reset()
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.SetWriteDeadline(by); err != nil {
		return err
	}
	for _, m := range messages {
		if held.Len() > 0 && held.Len()+len(m) > maxHeld {
			if _, err := l.Conn.Write(held.Bytes()); err != nil {
				return err
			}
			held.Reset()
		}
		held.Write(appendHead(held.AvailableBuffer(), len(m)))
		if len(m) <= maxHeld {
			held.Write(m)
			continue
		}
		whole := net.Buffers{held.Bytes(), m}
		if _, err := whole.WriteTo(l.Conn); err != nil {
			return err
		}
		held.Reset()
	}
	if held.Len() == 0 {
		return nil
	}
	_, err := l.Conn.Write(held.Bytes())
	return err
}

// appendHead begins a binary message of n bytes in one frame, not masked, as a server sends it (RFC 6455, 5.2).
func appendHead(b []byte, n int) []byte {
	const last, binaryMessage = 0x80, 0x02
	b = append(b, last|binaryMessage)
	switch {
	case n < 126:
		return append(b, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		return binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
}

// upgrade gives a WebSocket a line, and smaller buffers than HTTP has.
type upgrade struct {
	http.ResponseWriter
	line *line // over what the request came by, once it is hijacked
}

func (u *upgrade) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	under, had, err := http.NewResponseController(u.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	u.line.over(under)
	early := had.Reader.Buffered() // read with the request: it stays in the buffer
	// Of a bufio.Reader NewReaderSize makes no smaller one: it must not know that it is one.
	r := bufio.NewReaderSize(struct{ io.Reader }{had.Reader}, max(readBuffer, early))
	if _, err := r.Peek(early); err != nil {
		return nil, nil, err
	}
	return u.line, bufio.NewReadWriter(r, bufio.NewWriterSize(u.line, writeBuffer)), nil
}
