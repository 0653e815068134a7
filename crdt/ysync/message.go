package ysync

// A Kind is the type of a message.
type Kind uint8

const (
	Sync               Kind = 0
	Awareness          Kind = 1
	Auth               Kind = 2
	QueryAwareness     Kind = 3
	SyncReply          Kind = 4
	Stateless          Kind = 5
	BroadcastStateless Kind = 6
	Close              Kind = 7
	SyncStatus         Kind = 8
	Ping               Kind = 9
	Pong               Kind = 10
)

// A Step says what a Sync or SyncReply message holds in Data.
type Step uint8

const (
	Step1      Step = 0 // the sender's state vector
	Step2      Step = 1 // the update that answers a Step1
	StepUpdate Step = 2 // an update as it happens
)

// An AuthStep says what an Auth message means.
type AuthStep uint8

const (
	Token         AuthStep = 0 // Text is the client's token, Version the provider's, or ""
	Denied        AuthStep = 1 // Text is the reason
	Authenticated AuthStep = 2 // Text is the scope: [ReadWrite] or [ReadOnly]
	TokenRequest  AuthStep = 3 // a server asks for the token again; on the wire a Token without one
)

// Scopes of an Authenticated message.
const (
	ReadWrite = "read-write"
	ReadOnly  = "readonly"
)

// A Message is one message of either protocol. Fields that its Kind does not
// name are zero.
type Message struct {
	Kind    Kind
	Step    Step     // Sync, SyncReply
	Auth    AuthStep // Auth
	Data    []byte   // Sync, SyncReply: state vector or update. Awareness: see [DecodeAwareness]
	Text    string   // Auth, Stateless, BroadcastStateless, Close
	Version string   // Auth with a Token: version of a v4 provider, "" from v3
	Saved   bool     // SyncStatus
}

// DecodeMessage reads a frame of y-websocket, from either end.
func DecodeMessage(frame []byte) (Message, error) {
	d := decoder{b: frame}
	var m Message
	switch kind := d.uint(); {
	case d.err != nil:
	case d.shared(&m, kind):
	case kind == uint64(Auth):
		m.Kind, m.Auth = Auth, Denied
		if at := d.i; d.uint() != 0 {
			d.failAt("unknown auth message", at)
		}
		m.Text = d.text(MaxReason)
	default:
		d.failAt("unknown message", 0)
	}
	if err := d.end(); err != nil {
		return Message{}, err
	}
	return m, nil
}

// shared reads a message that both protocols have, after its type.
func (d *decoder) shared(m *Message, kind uint64) bool {
	switch kind {
	case uint64(Sync):
		d.sync(m)
	case uint64(Awareness):
		m.Data = d.bytes(len(d.b))
	case uint64(QueryAwareness):
	default:
		return false
	}
	m.Kind = Kind(kind)
	return true
}

func (d *decoder) sync(m *Message) {
	at := d.i
	step := d.uint()
	if step > uint64(StepUpdate) {
		d.failAt("unknown sync step", at)
	}
	m.Step, m.Data = Step(step), d.bytes(len(d.b))
}

// AppendMessage appends m as a frame of y-websocket. It has no form for the
// kinds that only Hocuspocus knows; those are the caller's mistake and panic.
func AppendMessage(b []byte, m Message) []byte {
	b = appendUint(b, uint64(m.Kind))
	switch m.Kind {
	case Sync:
		return appendBytes(append(b, byte(m.Step)), m.Data)
	case Awareness:
		return appendBytes(b, m.Data)
	case QueryAwareness:
		return b
	case Auth:
		if m.Auth == Denied {
			return appendBytes(append(b, 0), m.Text)
		}
	}
	panic("ysync: message has no form in y-websocket")
}
