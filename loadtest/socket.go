package loadtest

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	mrand "math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

const (
	dialTimeout  = 30 * time.Second
	writeTimeout = 10 * time.Second
	readBuffer   = 2 << 10
	maxBuffer    = 64 << 10  // kept for the next message; what a large one took is given back
	maxMessage   = 256 << 20 // bytes
)

// Kinds of frames (RFC 6455, 5.2).
const (
	binaryFrame = 0x2
	closeFrame  = 0x8
	pingFrame   = 0x9
	pongFrame   = 0xa
)

// A socket is the client's end of a WebSocket. It is frugal: what it costs to read a frame is taken from the server that
// is measured on the same machine. One goroutine reads; any number may write.
type socket struct {
	conn  net.Conn
	in    *bufio.Reader
	held  int    // bytes of the last message, which are still in the buffer
	whole []byte // a message that has no room there, or comes in pieces

	mu  sync.Mutex // held while writing, for writeTimeout at most
	out []byte
}

// closeError is why the other end closed a socket.
type closeError struct {
	code   int
	reason string
}

func (e *closeError) Error() string { return fmt.Sprintf("closed %d %s", e.code, e.reason) }

var errFrame = errors.New("not a frame that a server may send")

// dialSocket opens a socket at an http or https URL. A narrow one has a small receive buffer.
func dialSocket(ctx context.Context, address string, header http.Header, narrow bool) (*socket, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("the address is no url") // the error would quote it
	}
	conn, err := dialHost(ctx, u, narrow)
	if err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	s := &socket{conn: conn, in: newReader(conn)}
	if err := s.upgrade(u, header); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return s, nil
}

func newReader(conn net.Conn) *bufio.Reader { return bufio.NewReaderSize(conn, readBuffer) }

func dialHost(ctx context.Context, u *url.URL, narrow bool) (net.Conn, error) {
	host := u.Host
	if u.Port() == "" {
		host = net.JoinHostPort(u.Hostname(), u.Scheme)
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", host)
	if err != nil {
		return nil, err
	}
	if tcp, is := conn.(*net.TCPConn); is && narrow {
		err = tcp.SetReadBuffer(narrowBuffer)
	}
	if u.Scheme == "https" {
		conn = tls.Client(conn, &tls.Config{ServerName: u.Hostname()})
	}
	return conn, err
}

// upgrade makes a WebSocket of an HTTP connection.
func (s *socket) upgrade(u *url.URL, header http.Header) error {
	key := base64.StdEncoding.EncodeToString([]byte(rand.Text())[:16])
	req := &http.Request{Method: http.MethodGet, URL: u, Host: u.Host, Header: header.Clone()}
	for name, value := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key,
	} {
		req.Header.Set(name, value)
	}
	if err := req.Write(s.conn); err != nil {
		return err
	}
	resp, err := http.ReadResponse(s.in, req)
	if err != nil {
		return err
	}
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	if resp.StatusCode != http.StatusSwitchingProtocols || resp.Header.Get("Sec-WebSocket-Accept") != base64.StdEncoding.EncodeToString(sum[:]) {
		return fmt.Errorf("the server answers %s instead of opening a socket", resp.Status)
	}
	return nil
}

// read returns the next message, valid until the next call.
func (s *socket) read() ([]byte, error) {
	if _, err := s.in.Discard(s.held); err != nil {
		return nil, err
	}
	s.held, s.whole = 0, s.whole[:0]
	if cap(s.whole) > maxBuffer {
		s.whole = nil
	}
	for {
		kind, last, n, err := s.head()
		if err != nil {
			return nil, err
		}
		switch {
		case kind >= closeFrame:
			if err := s.control(kind, n); err != nil {
				return nil, err
			}
			continue
		case last && n <= s.in.Size() && len(s.whole) == 0:
			s.held = n
			return s.in.Peek(n)
		case len(s.whole)+n > maxMessage:
			return nil, fmt.Errorf("%w: a message of more than %d bytes", errFrame, maxMessage)
		}
		at := len(s.whole)
		s.whole = slices.Grow(s.whole, n)[:at+n]
		if _, err := io.ReadFull(s.in, s.whole[at:]); err != nil || last {
			return s.whole, err
		}
	}
}

// head reads what a frame begins with: its kind, whether it ends its message, and its length.
func (s *socket) head() (kind byte, last bool, n int, err error) {
	b, err := s.in.Peek(2)
	if err != nil {
		return 0, false, 0, err
	}
	size := 2
	switch b[1] {
	case 126:
		size += 2
	case 127:
		size += 8
	}
	if b, err = s.in.Peek(size); err != nil {
		return 0, false, 0, err
	}
	length := uint64(b[1])
	switch size {
	case 4:
		length = uint64(binary.BigEndian.Uint16(b[2:]))
	case 10:
		length = binary.BigEndian.Uint64(b[2:])
	}
	kind, last = b[0]&0xf, b[0]&0x80 != 0
	if b[0]&0x70 != 0 || b[1] > 127 || length > maxMessage || kind >= closeFrame && length > 125 {
		return 0, false, 0, errFrame
	}
	_, err = s.in.Discard(size)
	return kind, last, int(length), err
}

// control takes a frame that is no part of a message.
func (s *socket) control(kind byte, n int) error {
	b, err := s.in.Peek(n)
	if err != nil {
		return err
	}
	b = bytes.Clone(b)
	if _, err := s.in.Discard(n); err != nil {
		return err
	}
	switch kind {
	case pingFrame:
		return s.send(pongFrame, b)
	case closeFrame:
		_ = s.send(closeFrame, b) // the other end knows
		end := &closeError{code: 1005}
		if n >= 2 {
			end.code, end.reason = int(binary.BigEndian.Uint16(b)), string(b[2:])
		}
		return end
	}
	return nil
}

// write sends a message.
func (s *socket) write(message []byte) error {
	if err := s.send(binaryFrame, message); err != nil {
		return fmt.Errorf("write %d bytes: %w", len(message), err)
	}
	return nil
}

// send sends one frame, masked as a client's must be.
func (s *socket) send(kind byte, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := mrand.Uint32()
	b := append(s.out[:0], 0x80|kind)
	switch n := len(data); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	b = binary.LittleEndian.AppendUint32(b, key)
	at := len(b)
	b = append(b, data...)
	mask(b[at:], key)
	if s.out = b; cap(b) > maxBuffer {
		s.out = nil
	}
	if err := s.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	_, err := s.conn.Write(b)
	return err
}

// mask applies a key, whose lowest byte comes first, to b.
func mask(b []byte, key uint32) {
	for ; len(b) >= 4; b = b[4:] {
		binary.LittleEndian.PutUint32(b, binary.LittleEndian.Uint32(b)^key)
	}
	for i := range b {
		b[i] ^= byte(key >> (8 * i))
	}
}

// close ends the socket without a word.
func (s *socket) close() { _ = s.conn.Close() }
