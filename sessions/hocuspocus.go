package sessions

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt/ysync"
)

// Authorizer decides what the holder of a token may do with a note. An empty token stands for whoever opened
// the socket. It returns [ErrUnauthenticated], [ErrForbidden],
// [ErrStaleEditor] or [ErrNoNote]; any other error means "not now".
type Authorizer func(ctx context.Context, note NoteID, token string) (Grant, error)

// ServeHocuspocus runs a Hocuspocus provider, v3 or v4, at any number of notes until its socket ends, and returns
// why: a [*CloseError] when the server ends it.
func (h *Hub) ServeHocuspocus(ctx context.Context, conn Conn, authorize Authorizer) error {
	p := &hocuspocus{hub: h, authorize: authorize, documents: make(map[string]*document)}
	return h.serve(ctx, conn, func(s *socket) protocol {
		p.socket = s
		p.unasked = time.AfterFunc(authTimeout, func() {
			s.fail(&CloseError{Code: closeUnauthenticated, Reason: "no document was asked for in time"})
		})
		return p
	})
}

// hocuspocus speaks Hocuspocus: several documents a socket, each asked for and authorised by itself.
type hocuspocus struct {
	hub       *Hub
	socket    *socket
	authorize Authorizer
	unasked   *time.Timer
	quiet     atomic.Pointer[[]byte] // what keepAlive returns

	// Owned by the socket's reading goroutine.
	documents  map[string]*document // by routing key
	earlyBytes int                  // of all documents
	denials    int
	known      bool // a document has been granted
}

// document is one routing key of a socket. Until it is authorised, what arrives for it waits.
type document struct {
	peer   *Peer
	denied bool // what its provider goes on sending is discarded, updates refused
	early  []ysync.Message
}

var (
	errTooManyNotes = &CloseError{Code: closeTryLater, Reason: fmt.Sprintf("more than %d documents on one socket", maxNotesPerSocket)}
	errTooManyTries = &CloseError{Code: closeForbidden, Reason: "too many documents refused"}
	errTooEarly     = &CloseError{Code: closeTryLater, Reason: "too much before authentication"}
)

func (h *hocuspocus) handle(ctx context.Context, frame []byte) error {
	e, err := ysync.DecodeEnvelope(frame)
	if err != nil {
		return Malformed(err)
	}
	switch e.Kind {
	case ysync.Ping:
		h.socket.out.push(ysync.AppendEnvelope(nil, ysync.Envelope{Message: ysync.Message{Kind: ysync.Pong}}))
		return nil
	case ysync.Pong:
		return nil
	case ysync.Stateless:
		if d := h.documents[e.Key]; d != nil && d.peer != nil {
			aside(func() { err = d.peer.declare(ctx, e.Text) })
		}
		return err
	case ysync.Close:
		h.drop(e.Key)
		return nil
	case ysync.Auth, ysync.Sync, ysync.Awareness, ysync.QueryAwareness:
	default:
		return Malformed(fmt.Errorf("message of kind %d from a client", e.Kind))
	}

	d := h.documents[e.Key]
	if d == nil {
		if len(h.documents) >= maxNotesPerSocket {
			return errTooManyNotes
		}
		d = &document{}
		h.documents[e.Key] = d
	}
	if e.Kind == ysync.Auth {
		aside(func() { err = h.authenticate(ctx, e, d) })
		return err
	}
	if d.peer != nil {
		return d.peer.handle(ctx, e.Message)
	}
	if d.denied {
		if e.Kind == ysync.Sync && e.Step != ysync.Step1 {
			h.say(e.Key, ysync.Message{Kind: ysync.SyncStatus})
		}
		return nil
	}
	if h.earlyBytes += len(frame); h.earlyBytes > maxEarlyBytes || len(d.early) >= maxEarlyFrames {
		return errTooEarly
	}
	d.early = append(d.early, e.Message)
	return nil
}

// authenticate takes a token for a document: it joins the note, or says why not.
func (h *hocuspocus) authenticate(ctx context.Context, e ysync.Envelope, d *document) error {
	if e.Auth != ysync.Token {
		return Malformed(errors.New("auth message that only a server sends"))
	}
	name, _ := ysync.SplitKey(e.Key)
	note, err := uuid.Parse(name)
	if err != nil || note.String() != name {
		return h.deny(e.Key, d, ErrNoNote)
	}
	grant, err := h.authorize(ctx, note, e.Text)
	if err != nil {
		return h.deny(e.Key, d, err)
	}
	h.unasked.Stop()
	h.known = true
	h.stayAlive(e)
	wire := newHocuspocusWire(e.Key)
	h.socket.out.push(wire.scope(grant.ReadOnly || d.peer != nil && d.peer.outdated.Load()))
	if d.peer != nil {
		return d.peer.renewed(grant)
	}
	if d.peer, err = h.hub.join(ctx, note, grant, h.socket, wire); err != nil {
		return h.deny(e.Key, d, err)
	}
	early := d.early
	d.early, d.denied = nil, false
	for _, m := range early {
		if err := d.peer.handle(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// deny refuses one document. The socket stays: others may be open on it. A fault of ours is no denial.
func (h *hocuspocus) deny(key string, d *document, err error) error {
	reason := refusal(err)
	if reason.Code == closeTryLater || reason.Code == closeRestart {
		return reason
	}
	h.hub.log.Warn("document refused", "code", reason.Code, "err", err)
	if h.denials++; h.denials > maxDenials {
		return errTooManyTries
	}
	h.close(d)
	*d = document{denied: true}
	h.say(key, ysync.Message{Kind: ysync.Auth, Auth: ysync.Denied, Text: reason.Reason})
	return nil
}

func (h *hocuspocus) say(key string, m ysync.Message) {
	h.socket.out.push(ysync.AppendEnvelope(nil, ysync.Envelope{Key: key, Message: m}))
}

// stayAlive chooses what keeps this provider from reconnecting: v4 knows a ping, v3 throws on one.
func (h *hocuspocus) stayAlive(e ysync.Envelope) {
	quiet := ysync.Envelope{Key: e.Key, Message: ysync.Message{Kind: ysync.Awareness, Data: ysync.AppendAwareness(nil, nil)}}
	if e.Version != "" {
		quiet = ysync.Envelope{Message: ysync.Message{Kind: ysync.Ping}}
	}
	frame := ysync.AppendEnvelope(nil, quiet)
	h.quiet.Store(&frame)
}

func (h *hocuspocus) granted() bool { return h.known }

func (h *hocuspocus) owesStep2() bool {
	for _, d := range h.documents {
		if d.peer != nil && d.peer.owesStep2 {
			return true
		}
	}
	return false
}

func (h *hocuspocus) keepAlive() []byte {
	if quiet := h.quiet.Load(); quiet != nil {
		return *quiet
	}
	return nil
}

func (h *hocuspocus) drop(key string) {
	if d := h.documents[key]; d != nil {
		h.close(d)
	}
	delete(h.documents, key)
}

// close ends a document's peer, if it has one. Who has none left begins anew: a socket is for what is open on it.
func (h *hocuspocus) close(d *document) {
	if d.peer == nil {
		return
	}
	d.peer.leave()
	d.peer = nil
	for _, other := range h.documents {
		if other.peer != nil {
			return
		}
	}
	h.unasked.Reset(authTimeout)
}

func (h *hocuspocus) leave() {
	for key := range h.documents {
		h.drop(key)
	}
	h.unasked.Stop()
}

// hocuspocusWire frames messages for one document of a provider.
type hocuspocusWire struct {
	key   string
	alone bool // no other frames alike
}

func newHocuspocusWire(key string) hocuspocusWire {
	return hocuspocusWire{key, strings.Contains(key, "\x00")} // which marks a provider's own session
}

func (w hocuspocusWire) frame(m ysync.Message) []byte {
	frame := make([]byte, 0, len(w.key)+len(m.Data)+16)
	return ysync.AppendEnvelope(frame, ysync.Envelope{Key: w.key, Message: m})
}

func (w hocuspocusWire) step1(sv []byte) []byte {
	return w.frame(ysync.Message{Kind: ysync.Sync, Step: ysync.Step1, Data: sv})
}

func (w hocuspocusWire) step2(update []byte) []byte {
	return w.frame(ysync.Message{Kind: ysync.Sync, Step: ysync.Step2, Data: update})
}

func (w hocuspocusWire) update(update []byte) []byte {
	return w.frame(ysync.Message{Kind: ysync.Sync, Step: ysync.StepUpdate, Data: update})
}

func (w hocuspocusWire) awareness(data []byte) []byte {
	return w.frame(ysync.Message{Kind: ysync.Awareness, Data: data})
}

func (w hocuspocusWire) answers() bool { return true }

func (w hocuspocusWire) status(saved bool) []byte {
	return w.frame(ysync.Message{Kind: ysync.SyncStatus, Saved: saved})
}

func (w hocuspocusWire) scope(readOnly bool) []byte {
	scope := ysync.ReadWrite
	if readOnly {
		scope = ysync.ReadOnly
	}
	return w.frame(ysync.Message{Kind: ysync.Auth, Auth: ysync.Authenticated, Text: scope})
}

func (w hocuspocusWire) denied(reason string) []byte {
	return w.frame(ysync.Message{Kind: ysync.Auth, Auth: ysync.Denied, Text: reason})
}

// Stock providers hand stateless messages to whoever listens for them.
func (w hocuspocusWire) news(of news) []byte {
	return w.frame(ysync.Message{Kind: ysync.Stateless, Text: `{"type":"` + string(of) + `"}`})
}

func (w hocuspocusWire) name() string {
	if w.alone {
		return ""
	}
	return w.key
}
