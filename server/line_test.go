package server

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// counted is a connection that keeps what each call writes.
type counted struct {
	net.Conn
	writes [][]byte
}

func (c *counted) Write(p []byte) (int, error) {
	c.writes = append(c.writes, bytes.Clone(p))
	return len(p), nil
}
func (c *counted) SetWriteDeadline(time.Time) error { return nil }

// TestFramesTravelTogether: what waits is written by one call; what is large is not copied to get there.
func TestFramesTravelTogether(t *testing.T) {
	small, large := []byte("0123456789"), make([]byte, maxHeld)
	for _, tt := range []struct {
		name   string
		parts  [][]byte
		writes []int
	}{
		{"nothing", nil, nil},
		{"one", [][]byte{small}, []int{10}},
		{"many", [][]byte{small, small, small}, []int{30}},
		{"as much as is held", [][]byte{large}, []int{maxHeld}},
		{"a large one among small ones", [][]byte{small, large, small}, []int{10, maxHeld, 10}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			under := &counted{}
			l := &line{Conn: under}
			l.hold(time.Now().Add(time.Second))
			for _, p := range tt.parts {
				if n, err := l.Write(p); n != len(p) || err != nil {
					t.Errorf("Write = %d, %v", n, err)
				}
			}
			if err := l.release(); err != nil {
				t.Error(err)
			}
			if _, err := l.Write(small); err != nil { // nothing is held any more
				t.Error(err)
			}
			tt.writes = append(tt.writes, len(small))
			if len(under.writes) != len(tt.writes) {
				t.Fatalf("%d writes, want %d", len(under.writes), len(tt.writes))
			}
			for i, want := range tt.writes {
				if got := len(under.writes[i]); got != want {
					t.Errorf("write %d is of %d bytes, want %d", i, got, want)
				}
			}
			if got, want := bytes.Join(under.writes, nil), append(bytes.Join(tt.parts, nil), small...); !bytes.Equal(got, want) {
				t.Error("what was written is not what was given")
			}
		})
	}
}

// TestWritesEnd: when their time is over, or when they are cut off.
func TestWritesEnd(t *testing.T) {
	for _, tt := range []struct {
		name string
		cut  bool
		took time.Duration
		err  error
	}{
		{"in time", false, 5 * time.Second, os.ErrDeadlineExceeded},
		{"cut off", true, time.Second, io.ErrClosedPipe},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ended := make(chan struct{})
				line := onePipe(t, func(_ context.Context, _ context.CancelFunc, c *conn) {
					defer close(ended)
					if tt.cut {
						time.AfterFunc(time.Second, c.Cut)
					}
					began := time.Now()
					err := c.Write(began.Add(5*time.Second), [][]byte{[]byte("ab"), []byte("cd")})
					if took := time.Since(began); !errors.Is(err, tt.err) || took != tt.took {
						t.Errorf("Write = %v after %v, want %v after %v", err, took, tt.err, tt.took)
					}
				})
				ws := dialOver(t, line)
				<-ended // the peer reads nothing
				_ = ws.CloseNow()
			})
		})
	}
}

// TestEarlyMessagesArrive: those that came with the request.
func TestEarlyMessagesArrive(t *testing.T) {
	got := make(chan []byte, 1)
	near := onePipe(t, func(_ context.Context, _ context.CancelFunc, c *conn) {
		message, err := c.Read(t.Context(), 10)
		if err != nil {
			t.Error(err)
		}
		got <- message
	})
	request := "GET / HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
	frame := []byte{0x82, 0x80 | 3, 0, 0, 0, 0, 'a', 'b', 'c'} // binary, masked by zeros
	go func() { _, _ = io.Copy(io.Discard, near) }()
	if _, err := near.Write(append([]byte(request), frame...)); err != nil {
		t.Fatal(err)
	}
	if message := <-got; string(message) != "abc" {
		t.Errorf("the message is %q", message)
	}
	_ = near.Close()
}
