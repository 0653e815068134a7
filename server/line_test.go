package server

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
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
	const small, large = 10, maxHeld + 1
	for _, tt := range []struct {
		name     string
		messages []int
		writes   []int
	}{
		{"nothing", nil, nil},
		{"one", []int{small}, []int{2 + small}},
		{"many", []int{small, small, small}, []int{3 * (2 + small)}},
		{"as much as is held", []int{maxHeld}, []int{4 + maxHeld}},
		{"more than is held", []int{small, maxHeld}, []int{2 + small, 4 + maxHeld}},
		{"a large one among small ones", []int{small, large, small}, []int{2 + small, 4, large, 2 + small}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			under := &counted{}
			l := &line{Conn: under}
			var messages [][]byte
			for _, n := range tt.messages {
				messages = append(messages, make([]byte, n))
			}
			if err := l.send(time.Now().Add(time.Second), messages); err != nil {
				t.Error(err)
			}
			var writes []int
			for _, w := range under.writes {
				writes = append(writes, len(w))
			}
			if !slices.Equal(writes, tt.writes) {
				t.Errorf("writes of %v bytes, want %v", writes, tt.writes)
			}
		})
	}
}

// TestMessagesOfAllLengths: a frame says its length in one, two or eight bytes.
func TestMessagesOfAllLengths(t *testing.T) {
	lengths := []int{0, 1, 125, 126, 127, 1<<16 - 1, 1 << 16, maxHeld, maxHeld + 1, 1 << 20}
	near := onePipe(t, func(_ context.Context, _ context.CancelFunc, c *conn) {
		var messages [][]byte
		for i, n := range lengths {
			messages = append(messages, bytes.Repeat([]byte{byte('a' + i)}, n))
		}
		if err := c.Write(time.Now().Add(10*time.Second), messages); err != nil {
			t.Error(err)
		}
	})
	ws := dialOver(t, near)
	ws.SetReadLimit(1 << 20)
	for i, n := range lengths {
		kind, message, err := ws.Read(t.Context())
		if err != nil || kind != websocket.MessageBinary || !bytes.Equal(message, bytes.Repeat([]byte{byte('a' + i)}, n)) {
			t.Fatalf("of %d bytes: %d of type %v, %v", n, len(message), kind, err)
		}
	}
	_ = ws.CloseNow()
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
