package loadtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/clisonix/tidechart/crdt/ysync"
)

// providerVersion is what a Hocuspocus provider of version 4 says of itself. Tidechart then keeps the line alive by
// pings.
const providerVersion = "4.8.0"

const (
	dialTimeout  = 30 * time.Second
	writeTimeout = 10 * time.Second
)

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
	http     *http.Client
}

// wireFor returns how client n of a document speaks.
func (c Config) wireFor(document string, n int, client *http.Client) wire {
	w := wire{protocol: c.Protocol, document: document, http: client}
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
func (w wire) dial(ctx context.Context) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	header := http.Header{}
	if w.token != "" && w.protocol == YWebSocket {
		header.Set("Authorization", "Bearer "+w.token)
	}
	ws, _, err := websocket.Dial(ctx, w.url, &websocket.DialOptions{HTTPClient: w.http, HTTPHeader: header})
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	ws.SetReadLimit(-1)
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

func write(ctx context.Context, ws *websocket.Conn, frame []byte) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	if err := ws.Write(ctx, websocket.MessageBinary, frame); err != nil {
		return fmt.Errorf("write %d bytes: %w", len(frame), err)
	}
	return nil
}

// why names the end of a socket as a report counts it: by close code, or by what went wrong.
func why(err error) string {
	var closed websocket.CloseError
	switch {
	case errors.As(err, &closed):
		return strings.TrimSpace(fmt.Sprintf("closed %d %s", int(closed.Code), closed.Reason))
	case errors.Is(err, errDenied), errors.Is(err, errClosed):
		return err.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return "timed out"
	}
	var network *net.OpError
	if errors.As(err, &network) {
		return fmt.Sprintf("%s: %v", network.Op, network.Err)
	}
	return err.Error()
}

// httpClient returns what sockets are opened with. A narrow one has a small receive buffer, so that a reader that
// does not read is soon felt by the server.
func httpClient(narrow bool) *http.Client {
	dialer := net.Dialer{}
	return &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, addr)
			if tcp, is := conn.(*net.TCPConn); is && narrow {
				err = tcp.SetReadBuffer(narrowBuffer)
			}
			return conn, err
		},
		MaxIdleConnsPerHost: dialers,
	}}
}

// narrowBuffer is in bytes. One smaller than a packet of the loopback interface would stall it altogether.
const narrowBuffer = 64 << 10
