package sessions

import (
	"context"
	"fmt"

	"github.com/clisonix/tidechart/crdt/ysync"
)

// ServeYWebSocket runs a y-websocket client at one note until its socket ends, and returns why: a [*CloseError]
// when the server ends it. Who is not granted the note is told so in a way that makes it stop, since a refused upgrade
// makes it retry for ever.
func (h *Hub) ServeYWebSocket(ctx context.Context, conn Conn, note NoteID, token string, authorize Authorizer) error {
	y := &yWebSocket{}
	return h.serve(ctx, conn, func(s *socket) protocol {
		y.socket = s
		granted, denied := authorize(s.ctx, note, token)
		if denied == nil {
			y.peer, denied = h.join(s.ctx, note, granted, s, yWire{})
		}
		if denied != nil {
			reason := refusal(denied)
			s.out.push(yWire{}.denied(reason.Reason))
			s.fail(reason)
		}
		return y
	})
}

// yWebSocket speaks y-websocket 3.1: one note a socket, one message a frame, no acknowledgement but the update
// itself, which comes back to its sender once it is committed.
type yWebSocket struct {
	socket *socket
	peer   *Peer // nil if denied
}

func (y *yWebSocket) handle(ctx context.Context, frame []byte) error {
	m, err := ysync.DecodeMessage(frame)
	if err != nil {
		return Malformed(err)
	}
	switch m.Kind {
	case ysync.Sync, ysync.Awareness, ysync.QueryAwareness:
		return y.peer.handle(ctx, m)
	default:
		return Malformed(fmt.Errorf("message of kind %d from a client", m.Kind))
	}
}

func (y *yWebSocket) granted() bool { return y.peer != nil }

func (y *yWebSocket) owesStep2() bool { return y.peer.owesStep2 }

func (y *yWebSocket) keepAlive() []byte {
	return ysync.AppendMessage(nil, ysync.Message{Kind: ysync.Awareness, Data: ysync.AppendAwareness(nil, nil)})
}

func (y *yWebSocket) leave() {
	if y.peer != nil {
		y.peer.leave()
	}
}

// yWire frames messages for y-websocket.
type yWire struct{}

func (yWire) sync(step ysync.Step, data []byte) []byte {
	frame := make([]byte, 0, len(data)+12)
	return ysync.AppendMessage(frame, ysync.Message{Kind: ysync.Sync, Step: step, Data: data})
}

func (w yWire) step1(sv []byte) []byte      { return w.sync(ysync.Step1, sv) }
func (w yWire) step2(update []byte) []byte  { return w.sync(ysync.Step2, update) }
func (w yWire) update(update []byte) []byte { return w.sync(ysync.StepUpdate, update) }
func (yWire) name() string                  { return "y-websocket" }
func (yWire) answers() bool                 { return false }
func (yWire) status(bool) []byte            { return nil }

// scope says what the protocol can: stock clients log it, and go on reading.
func (w yWire) scope(readOnly bool) []byte {
	if !readOnly {
		return nil
	}
	return w.denied(ErrReadOnly.Error())
}

func (yWire) news(news) []byte { return nil }

func (yWire) denied(reason string) []byte {
	return ysync.AppendMessage(nil, ysync.Message{Kind: ysync.Auth, Auth: ysync.Denied, Text: reason})
}

func (yWire) awareness(data []byte) []byte {
	return ysync.AppendMessage(nil, ysync.Message{Kind: ysync.Awareness, Data: data})
}
