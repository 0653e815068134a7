package loadtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/clisonix/tidechart/crdt/ysync"
)

// providerVersion is what a Hocuspocus provider of version 4 says of itself. Tidechart then keeps the line alive by
// pings.
const providerVersion = "4.8.0"

// Ends of a document on a socket that stays.
var (
	errDenied = errors.New("denied")          // the server does not want this client
	errClosed = errors.New("document closed") // the client may come back
)

// wire is how one client speaks with the server.
type wire struct {
	protocol string // Hocuspocus or YWebSocket
	url      string
	document string
	token    string
	narrow   bool // a small receive buffer: a reader that does not read is soon felt by the server
}

// wireFor returns how client n of a document speaks.
func (c Config) wireFor(document string, n int) wire {
	w := wire{protocol: c.Protocol, document: document}
	if w.protocol == Both {
		w.protocol = []string{Hocuspocus, YWebSocket}[n%2]
	}
	if len(c.Tokens) > 0 {
		w.token = c.Tokens[n%len(c.Tokens)]
	}
	w.url = strings.TrimSuffix(c.URL, "/")
	switch {
	case c.Prefix == "" && w.protocol == Hocuspocus:
		w.url += "/ws"
	case c.Prefix == "":
		w.url += "/ws/notes/" + document
	case w.protocol == YWebSocket:
		w.url += "/" + document
	}
	return w
}

// dial opens a socket. The token travels in a header, not in the URL, which errors quote.
func (w wire) dial(ctx context.Context) (*socket, error) {
	header := http.Header{}
	if w.token != "" && w.protocol == YWebSocket {
		header.Set("Authorization", "Bearer "+w.token)
	}
	ws, err := dialSocket(ctx, w.url, header, w.narrow)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return ws, nil
}

// hello is what a client sends first, without waiting for anything.
func (w wire) hello(sv []byte) [][]byte {
	step1 := w.frame(ysync.Message{Kind: ysync.Sync, Step: ysync.Step1, Data: sv})
	if w.protocol == YWebSocket {
		return [][]byte{step1}
	}
	return [][]byte{w.frame(ysync.Message{Kind: ysync.Auth, Auth: ysync.Token, Text: w.token, Version: providerVersion}), step1}
}

func (w wire) frame(m ysync.Message) []byte {
	if w.protocol == YWebSocket {
		return ysync.AppendMessage(nil, m)
	}
	return ysync.AppendEnvelope(nil, ysync.Envelope{Key: w.document, Message: m})
}

// decode reads a frame. What the server says by way of refusal is an error.
func (w wire) decode(frame []byte) (m ysync.Message, err error) {
	if w.protocol == YWebSocket {
		m, err = ysync.DecodeMessage(frame)
	} else {
		var e ysync.Envelope
		e, err = ysync.DecodeEnvelope(frame)
		m = e.Message
	}
	switch {
	case err != nil:
		return m, fmt.Errorf("message of %d bytes: %w", len(frame), err)
	case m.Kind == ysync.Auth && m.Auth == ysync.Denied:
		return m, fmt.Errorf("%w: %s", errDenied, m.Text)
	case m.Kind == ysync.Close:
		return m, fmt.Errorf("%w: %s", errClosed, m.Text)
	}
	return m, nil
}

// why names the end of a socket as a report counts it: by close code, or by what went wrong.
func why(err error) string {
	var closed *closeError
	switch {
	case errors.As(err, &closed):
		return strings.TrimSpace(closed.Error())
	case errors.Is(err, errDenied), errors.Is(err, errClosed):
		return err.Error()
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "timed out"
	}
	var network *net.OpError
	if errors.As(err, &network) {
		return fmt.Sprintf("%s: %v", network.Op, network.Err)
	}
	return err.Error()
}

// narrowBuffer is in bytes. One smaller than a packet of the loopback interface would stall it altogether.
const narrowBuffer = 64 << 10
