package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
)

// Limits of handshakes (I10).
const (
	handshakeTimeout = 5 * time.Second // from the first byte to the last
	maxHandshakes    = 10_000          // at once; whoever comes then is turned away
	plainTimeout     = time.Second     // to tell somebody who speaks no TLS
	maxPlain         = 64 << 10        // bytes that are heard of them
)

// Reason says why a handshake failed, as logs and metrics have it.
type Reason string

// The reasons.
const (
	OldVersion  Reason = "no TLS 1.3"
	Classical   Reason = "no post-quantum group" // of [Require]
	NoTLS       Reason = "no TLS at all"
	TooSlow     Reason = "took too long"
	Distrusted  Reason = "the client gave up" // often since it does not trust the certificate
	Left        Reason = "the client left"
	TooMany     Reason = "too many at once"
	Unexplained Reason = "other"
)

// Reasons are all there are.
var Reasons = []Reason{OldVersion, Classical, NoTLS, TooSlow, Distrusted, Left, TooMany, Unexplained}

// Listen returns a listener on which connections come as *[tls.Conn], their handshakes done. Those that fail are counted, and nobody
// else hears of them. Closing it ends the handshakes that are under way.
func (t *Transport) Listen(under net.Listener) net.Listener { return t.listen(under, maxHandshakes) }

func (t *Transport) listen(under net.Listener, atOnce int) net.Listener {
	ctx, stop := context.WithCancel(context.Background())
	l := &listener{
		Listener: under, t: t, ctx: ctx, stop: stop, shaking: make(chan struct{}, atOnce), arrived: make(chan arrival),
	}
	go l.run()
	return l
}

type listener struct {
	net.Listener
	t       *Transport
	ctx     context.Context // ends when the listener is closed
	stop    context.CancelFunc
	shaking chan struct{} // holds one for each handshake under way
	arrived chan arrival
	closing sync.Once
}

type arrival struct {
	conn net.Conn
	err  error
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case a := <-l.arrived:
		return a.conn, a.err
	case <-l.ctx.Done():
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() (err error) {
	l.closing.Do(func() { l.stop(); err = l.Listener.Close() })
	return err
}

// run has each connection shake hands on a goroutine of its own. Whoever accepts is told of errors, and decides when it goes on.
func (l *listener) run() {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			if !l.arrives(arrival{err: err}) || errors.Is(err, net.ErrClosed) {
				return
			}
			continue
		}
		select {
		case l.shaking <- struct{}{}:
			go l.shake(conn)
		default:
			l.t.failed(TooMany, networkOf(conn))
			_ = conn.Close() // nothing was said
		}
	}
}

// arrives hands over what was accepted, unless nobody accepts any more.
func (l *listener) arrives(a arrival) bool {
	select {
	case l.arrived <- a:
		return true
	case <-l.ctx.Done():
		return false
	}
}

func (l *listener) shake(under net.Conn) {
	heard := new(offer)
	conn := tls.Server(under, l.t.current.Load().config)
	ctx, cancel := context.WithTimeout(context.WithValue(l.ctx, offerKey{}, heard), handshakeTimeout)
	err := conn.HandshakeContext(ctx)
	cancel()
	defer func() { <-l.shaking }()
	switch {
	case err == nil:
		l.t.shaken(conn.ConnectionState().CurveID)
		if l.arrives(arrival{conn: conn}) {
			return
		}
	case l.ctx.Err() == nil:
		l.t.failed(l.t.why(err, heard), networkOf(under))
		answerPlain(err)
	}
	_ = under.Close() // what could be said is said
}

// offer is what a client can do, as far as its failure is explained by that.
type offer struct {
	came     bool
	versions []uint16
	groups   []tls.CurveID
}

type offerKey struct{}

// overhear notes what a client offers. It changes nothing of what it gets.
func overhear(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	if o, is := hello.Context().Value(offerKey{}).(*offer); is {
		*o = offer{true, hello.SupportedVersions, hello.SupportedCurves}
	}
	return nil, nil
}

// why explains an error of a handshake.
func (t *Transport) why(err error, o *offer) Reason {
	var plain tls.RecordHeaderError
	var op *net.OpError
	switch {
	case o.came && !slices.Contains(o.versions, tls.VersionTLS13):
		return OldVersion
	case o.came && t.demand == Require && !slices.ContainsFunc(o.groups, IsPostQuantum):
		return Classical
	case errors.As(err, &plain):
		return NoTLS
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return TooSlow
	case errors.As(err, &op) && op.Op == "remote error": // an alert: crypto/tls has no type for it
		return Distrusted
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return Left
	default:
		return Unexplained
	}
}

// answerPlain tells whoever came with HTTP in the clear, so that a person sees what is wrong. There is no redirect: what they
// asked was on the network already, and browsers that have been here come by TLS.
func answerPlain(err error) {
	var plain tls.RecordHeaderError
	if !errors.As(err, &plain) || plain.Conn == nil || !slices.Contains(verbs, string(plain.RecordHeader[:])) {
		return
	}
	_ = plain.Conn.SetDeadline(time.Now().Add(plainTimeout))
	if _, err := io.WriteString(plain.Conn, plainAnswer); err != nil {
		return
	}
	// To close what was not read to its end would take the answer back.
	if c, is := plain.Conn.(interface{ CloseWrite() error }); is && c.CloseWrite() == nil {
		_, _ = io.CopyN(io.Discard, plain.Conn, maxPlain)
	}
}

// verbs are how requests in the clear begin.
var verbs = []string{"GET /", "HEAD ", "POST ", "PUT /", "OPTIO"}

const plainAnswer = "HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" +
	"This server speaks HTTPS only: begin the address with https://\n"

// networkOf names where a connection comes from.
func networkOf(conn net.Conn) string {
	at, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return "" // a Unix socket
	}
	return Network(at.Addr())
}
