package e2e

import (
	"io"
	"net"
	"sync"
	"testing"
)

// cable is a line between one window and the server that can be pulled out.
type cable struct {
	to     string
	listen net.Listener

	mu    sync.Mutex
	out   bool
	conns map[net.Conn]struct{}
}

// startCable lays a cable that ends with the test.
func startCable(t *testing.T, s *server) *cable {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{to: s.addr, listen: l, conns: make(map[net.Conn]struct{})}
	go c.accept()
	t.Cleanup(func() {
		l.Close()
		c.pull()
	})
	return c
}

// lineAway is what a browser says to its console while there is no line, of sockets, calls and streams.
var lineAway = []string{"WebSocket connection to", "Failed to load resource: net::ERR_", "htmx:sse:error", "htmx:error: Failed to fetch"}

// over is the server as it is reached over the cable.
func (c *cable) over(t *testing.T, s *server) *server {
	return &server{t: t, addr: c.listen.Addr().String(), url: "http://" + c.listen.Addr().String(), log: s.log}
}

// signedInOver opens a window that reaches the server over the cable only.
func (c *cable) signedInOver(t *testing.T, s *server, user string) *window {
	t.Helper()
	w := signedIn(t, c.over(t, s), user)
	w.allow(lineAway...)
	return w
}

func (c *cable) accept() {
	for {
		near, err := c.listen.Accept()
		if err != nil {
			return // closed
		}
		far, err := net.Dial("tcp", c.to)
		if err != nil || !c.add(near, far) {
			near.Close()
			if far != nil {
				far.Close()
			}
			continue
		}
		go c.carry(near, far)
		go c.carry(far, near)
	}
}

func (c *cable) add(conns ...net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range conns {
		if c.out {
			return false
		}
		c.conns[conn] = struct{}{}
	}
	return true
}

func (c *cable) carry(from, to net.Conn) {
	_, _ = io.Copy(to, from)
	from.Close()
	to.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.conns, from)
}

// pull ends every connection, and all that come until plug.
func (c *cable) pull() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = true
	for conn := range c.conns {
		conn.Close()
	}
}

func (c *cable) plug() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = false
}
