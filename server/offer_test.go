package server

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/clisonix/tidechart/internal/needs"
)

// socketPair returns the two ends of a connection of which the kernel holds little.
func socketPair(t *testing.T) (near, far *net.TCPConn) {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if far, err = net.DialTCP("tcp", nil, l.Addr().(*net.TCPAddr)); err != nil {
		t.Fatal(err)
	}
	if near, err = l.AcceptTCP(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = near.Close(); _ = far.Close() })
	return near, far
}

// numbered is a message that says which one it is, throughout.
func numbered(i, size int) []byte {
	return bytes.Repeat(binary.BigEndian.AppendUint32(nil, uint32(i)), size/4)
}

// readNumbered reads n messages in one frame each, and reports one that is not whole or not the next.
func readNumbered(t *testing.T, r io.Reader, n int) {
	t.Helper()
	in := bufio.NewReader(r)
	for i := range n {
		head := make([]byte, 4) // all are longer than 125 bytes
		if _, err := io.ReadFull(in, head); err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
		body := make([]byte, binary.BigEndian.Uint16(head[2:]))
		if _, err := io.ReadFull(in, body); err != nil || head[0] != 0x82 || !bytes.Equal(body, numbered(i, len(body))) {
			t.Fatalf("message %d begins % x % x: %v", i, head, body[:8], err)
		}
	}
}

// TestOffersKeepOrder: what the kernel takes at once, what it takes a part of, and what is written, comes whole and in
// its order to a peer that begins to read late.
func TestOffersKeepOrder(t *testing.T) {
	const messages, most = 5000, 8000
	near, far := socketPair(t)
	if err := far.SetReadBuffer(128 << 10); err != nil { // so that it is often too slow
		t.Fatal(err)
	}
	l, refused, full := new(line).over(near), 0, make(chan struct{})
	go func() {
		for i := 0; i < messages; {
			n := l.offer([][]byte{numbered(i, 200+i%most), numbered(i+1, 200+i%most/7)})
			if i += n; n == 0 {
				if refused++; refused == 1 {
					close(full)
				}
				if refused%10 > 0 {
					runtime.Gosched()
					continue
				}
				if err := l.send(time.Now().Add(10*time.Second), [][]byte{numbered(i, 5000)}); err != nil {
					t.Error(err)
					_ = near.Close()
					return
				}
				i++
			}
		}
	}()
	<-full
	readNumbered(t, far, messages)
}

// TestOffersAreRefused: whoever offers must be able to tell that a message is still theirs to send.
func TestOffersAreRefused(t *testing.T) {
	small := [][]byte{[]byte("small")}
	for _, tt := range []struct {
		name string
		line func(near *net.TCPConn) *line
		what [][]byte
	}{
		{"while somebody writes", func(near *net.TCPConn) *line { l := new(line).over(near); l.mu.Lock(); return l }, small},
		{"when closed", func(near *net.TCPConn) *line { l := new(line).over(near); _ = l.Close(); return l }, small},
		{"under TLS", func(near *net.TCPConn) *line { return new(line).over(tls.Server(near, &tls.Config{})) }, small},
		{"if large", func(near *net.TCPConn) *line { return new(line).over(near) }, [][]byte{make([]byte, maxHeld+1)}},
		{"if nothing", func(near *net.TCPConn) *line { return new(line).over(near) }, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			near, far := socketPair(t)
			l := tt.line(near)
			if n := l.offer(tt.what); n != 0 {
				t.Errorf("%d messages taken", n)
			}
			_ = near.Close()
			if rest, _ := io.ReadAll(far); len(rest) > 0 { // an error says that it was closed
				t.Errorf("%d bytes came", len(rest))
			}
		})
	}
}

// TestUnfinishedOffersEnd: a peer that takes half of a message and no more is let go of.
func TestUnfinishedOffersEnd(t *testing.T) {
	near, far := socketPair(t)
	l := new(line).over(near)
	l.mu.Lock()
	l.finishBy(time.Now().Add(50*time.Millisecond), make([]byte, 64<<20)) // more than kernels hold
	_ = far.SetReadDeadline(time.Now().Add(5 * time.Second))
	if n, err := io.Copy(io.Discard, far); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("after %d bytes the connection is still open", n)
	}
	if !l.mu.TryLock() {
		t.Error("the line is still locked")
	}
}

// TestOffersAllocateNothing: there are tens of thousands a second.
func TestOffersAllocateNothing(t *testing.T) {
	if needs.Raced {
		t.Skip("the race detector allocates, and empties pools; make test does it without")
	}
	near, far := socketPair(t)
	go func() { _, _ = io.Copy(io.Discard, far) }()
	l, m := new(line).over(near), [][]byte{make([]byte, 100)}
	if n := testing.AllocsPerRun(1000, func() { l.offer(m) }); n > 0 {
		t.Errorf("%v allocations an offer", n)
	}
}
