package e2e

import (
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// proxy is a bad line between clients and a server.
type proxy struct {
	to     string
	listen net.Listener
	bad    atomic.Bool // false: it carries everything at once
	cuts   atomic.Int64

	mu  sync.Mutex
	rng *rand.Rand
}

// startProxy opens a line that ends with the test.
func startProxy(t *testing.T, s *server, seed uint64) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{to: s.addr, listen: l, rng: rand.New(rand.NewPCG(seed, 3))}
	go p.accept()
	t.Cleanup(func() { l.Close() })
	return p
}

// ws is the address for the clients.
func (p *proxy) ws() string { return "ws://" + p.listen.Addr().String() }

func (p *proxy) accept() {
	for {
		near, err := p.listen.Accept()
		if err != nil {
			return // closed
		}
		far, err := net.Dial("tcp", p.to)
		if err != nil {
			near.Close()
			continue
		}
		go p.carry(near, far)
		go p.carry(far, near)
	}
}

func (p *proxy) upTo(n int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rng.IntN(n)
}

// carry is one direction. On a bad line it delays what it reads, passes it on
// a few bytes at a time, and at times breaks in the middle of it.
func (p *proxy) carry(from, to net.Conn) {
	defer from.Close()
	defer to.Close()
	buf := make([]byte, 4096)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		part := buf[:n]
		if p.bad.Load() {
			time.Sleep(time.Duration(p.upTo(30)) * time.Millisecond) // the line, not the test, takes its time
			if p.upTo(150) == 0 {
				p.cuts.Add(1)
				_, _ = to.Write(part[:n/2])
				return
			}
			for len(part) > 0 && p.bad.Load() && n < 200 {
				few := min(len(part), 1+p.upTo(7))
				if _, err := to.Write(part[:few]); err != nil {
					return
				}
				part = part[few:]
			}
		}
		if _, err := to.Write(part); err != nil {
			return
		}
	}
}
