package ysync

import "strings"

// An Envelope is a frame of Hocuspocus. Key routes it: the document's name, or
// with session awareness name NUL session; a reply carries the same key. Ping
// and Pong have none.
type Envelope struct {
	Key string
	Message
}

// SplitKey returns the document's name and, if the provider uses session
// awareness, its session.
func SplitKey(key string) (name, session string) {
	name, session, _ = strings.Cut(key, "\x00")
	return name, session
}

// DecodeEnvelope reads a frame of Hocuspocus, from either end.
func DecodeEnvelope(frame []byte) (Envelope, error) {
	if len(frame) == 1 && (frame[0] == byte(Ping) || frame[0] == byte(Pong)) {
		return Envelope{Message: Message{Kind: Kind(frame[0])}}, nil
	}
	d := decoder{b: frame}
	var e Envelope
	e.Key = d.text(MaxKey)
	at := d.i
	if kind := d.uint(); d.err == nil && !d.shared(&e.Message, kind) {
		d.hocuspocus(&e.Message, kind, at)
	}
	if err := d.end(); err != nil {
		return Envelope{}, err
	}
	return e, nil
}

// hocuspocus reads a message that only Hocuspocus has, after its type at at.
func (d *decoder) hocuspocus(m *Message, kind uint64, at int) {
	if kind > uint64(SyncStatus) {
		d.failAt("unknown message", at)
		return
	}
	switch m.Kind = Kind(kind); m.Kind {
	case SyncReply:
		d.sync(m)
	case Auth:
		d.auth(m)
	case Stateless, BroadcastStateless:
		m.Text = d.text(MaxStateless)
	case Close:
		if d.more() {
			m.Text = d.text(MaxReason)
		}
	case SyncStatus:
		at := d.i
		saved := d.uint()
		if saved > 1 {
			d.failAt("unknown sync status", at)
		}
		m.Saved = saved == 1
	}
}

func (d *decoder) auth(m *Message) {
	at := d.i
	step := d.uint()
	if step > uint64(Authenticated) {
		d.failAt("unknown auth message", at)
		return
	}
	switch m.Auth = AuthStep(step); {
	case m.Auth != Token:
		m.Text = d.text(MaxReason)
	case d.err == nil && !d.more():
		m.Auth = TokenRequest
	default:
		m.Text = d.text(MaxToken)
		if d.more() {
			m.Version = d.text(MaxReason)
		}
	}
}

// AppendEnvelope appends e as a frame of Hocuspocus.
func AppendEnvelope(b []byte, e Envelope) []byte {
	if e.Kind == Ping || e.Kind == Pong {
		return append(b, byte(e.Kind))
	}
	b = appendUint(appendBytes(b, e.Key), uint64(e.Kind))
	switch e.Kind {
	case Sync, SyncReply:
		return appendBytes(append(b, byte(e.Step)), e.Data)
	case Awareness:
		return appendBytes(b, e.Data)
	case Auth:
		return e.appendAuth(b)
	case Stateless, BroadcastStateless, Close: // a close with an empty reason too: a provider reads one in any case
		return appendBytes(b, e.Text)
	case SyncStatus:
		if e.Saved {
			return append(b, 1)
		}
		return append(b, 0)
	default: // QueryAwareness
		return b
	}
}

func (e Envelope) appendAuth(b []byte) []byte {
	switch e.Auth {
	case TokenRequest:
		return append(b, byte(Token))
	case Token:
		b = appendBytes(append(b, byte(Token)), e.Text)
		if e.Version != "" {
			b = appendBytes(b, e.Version)
		}
		return b
	default:
		return appendBytes(append(b, byte(e.Auth)), e.Text)
	}
}
