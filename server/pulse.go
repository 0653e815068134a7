package server

import (
	"sync/atomic"
	"time"
)

// A socket whose other end neither answers a ping in time nor sends anything else is dead. With the interval before it,
// that is within the 30 seconds after which nobody may still be shown as present.
const (
	pingEvery   = 15 * time.Second
	pingTimeout = 10 * time.Second
)

// ping is a whole frame (RFC 6455, 5.5.2), of which the answer says nothing but that the other end is there.
var ping = []byte{0x89, 0}

// pulse asks the other end of a connection now and then whether it is there. Nothing waits for the answer: a goroutine
// for each of thousands of idle connections would be most of what they cost.
type pulse struct {
	conn    *conn
	dead    func()
	timer   *time.Timer
	stopped atomic.Bool
	asked   bool
	heard   int64 // by the conn, before it was asked
}

// keepAlive calls dead when the other end has stopped: it does not answer, and nothing else comes. What it sends may
// be on its way for longer than a ping may take, and the answer is behind that. It returns at once; stop ends it.
func (c *conn) keepAlive(dead func()) (stop func()) {
	p := &pulse{conn: c, dead: dead}
	p.timer = time.AfterFunc(time.Hour, p.beat)
	p.timer.Reset(pingEvery) // now that beat will find it
	return func() { p.timer.Stop(); p.stopped.Store(true) }
}

func (p *pulse) beat() {
	heard := p.conn.heard.Load()
	switch {
	case p.stopped.Load():
	case !p.asked:
		p.asked, p.heard = true, heard
		p.timer.Reset(pingTimeout)
		_, _ = p.conn.line.Write(ping) // if that is impossible, no answer comes
	case heard == p.heard:
		p.dead()
	default:
		p.asked = false
		p.timer.Reset(pingEvery - pingTimeout)
	}
}
