package ysync

import (
	"bytes"
	"errors"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/clisonix/tidechart/crdt"
)

func TestMessages(t *testing.T) {
	tests := []struct {
		name string
		wire string
		want Message
	}{
		{"step 1 with an empty state vector", "\x00\x00\x01\x00", Message{Kind: Sync, Step: Step1, Data: []byte{0}}},
		{"step 2 with an empty update", "\x00\x01\x02\x00\x00", Message{Kind: Sync, Step: Step2, Data: []byte{0, 0}}},
		{"update", "\x00\x02\x02\x00\x00", Message{Kind: Sync, Step: StepUpdate, Data: []byte{0, 0}}},
		{"awareness of nobody", "\x01\x01\x00", Message{Kind: Awareness, Data: []byte{0}}},
		{"denied", "\x02\x00\x02no", Message{Kind: Auth, Auth: Denied, Text: "no"}},
		{"query awareness", "\x03", Message{Kind: QueryAwareness}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := DecodeMessage([]byte(tt.wire))
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("DecodeMessage(%q) = %+v, %v; want %+v", tt.wire, got, err, tt.want)
			}
			if b := AppendMessage(nil, tt.want); string(b) != tt.wire {
				t.Errorf("AppendMessage(%+v) = %q; want %q", tt.want, b, tt.wire)
			}
		})
	}
}

func TestEnvelopes(t *testing.T) {
	tests := []struct {
		name string
		wire string
		want Envelope
	}{
		{"token of a v3 provider", "\x01n\x02\x00\x01t", Envelope{"n", Message{Kind: Auth, Auth: Token, Text: "t"}}},
		{"empty token of a v3 provider", "\x01n\x02\x00\x00", Envelope{"n", Message{Kind: Auth, Auth: Token}}},
		{"token of a v4 provider", "\x01n\x02\x00\x01t\x054.8.0", Envelope{"n", Message{Kind: Auth, Auth: Token, Text: "t", Version: "4.8.0"}}},
		{"server asks for the token", "\x01n\x02\x00", Envelope{"n", Message{Kind: Auth, Auth: TokenRequest}}},
		{"denied", "\x01n\x02\x01\x02no", Envelope{"n", Message{Kind: Auth, Auth: Denied, Text: "no"}}},
		{"authenticated", "\x01n\x02\x02\x08readonly", Envelope{"n", Message{Kind: Auth, Auth: Authenticated, Text: ReadOnly}}},
		{"session key", "\x03n\x00s\x00\x00\x01\x00", Envelope{"n\x00s", Message{Kind: Sync, Step: Step1, Data: []byte{0}}}},
		{"sync reply", "\x01n\x04\x01\x02\x00\x00", Envelope{"n", Message{Kind: SyncReply, Step: Step2, Data: []byte{0, 0}}}},
		{"stateless", "\x01n\x05\x02hi", Envelope{"n", Message{Kind: Stateless, Text: "hi"}}},
		{"broadcast stateless", "\x01n\x06\x02hi", Envelope{"n", Message{Kind: BroadcastStateless, Text: "hi"}}},
		{"server closes without a word", "\x01n\x07\x00", Envelope{"n", Message{Kind: Close}}},
		{"server closes", "\x01n\x07\x03bye", Envelope{"n", Message{Kind: Close, Text: "bye"}}},
		{"saved", "\x01n\x08\x01", Envelope{"n", Message{Kind: SyncStatus, Saved: true}}},
		{"refused", "\x01n\x08\x00", Envelope{"n", Message{Kind: SyncStatus}}},
		{"query awareness", "\x01n\x03", Envelope{"n", Message{Kind: QueryAwareness}}},
		{"ping", "\x09", Envelope{"", Message{Kind: Ping}}},
		{"pong", "\x0a", Envelope{"", Message{Kind: Pong}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := DecodeEnvelope([]byte(tt.wire))
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("DecodeEnvelope(%q) = %+v, %v; want %+v", tt.wire, got, err, tt.want)
			}
			if b := AppendEnvelope(nil, tt.want); string(b) != tt.wire {
				t.Errorf("AppendEnvelope(%+v) = %q; want %q", tt.want, b, tt.wire)
			}
		})
	}
	if got, err := DecodeEnvelope([]byte("\x01n\x07")); err != nil || !reflect.DeepEqual(got, Envelope{"n", Message{Kind: Close}}) {
		t.Errorf("a client that leaves is read as %+v, %v", got, err)
	}
	if name, session := SplitKey("note\x00abc"); name != "note" || session != "abc" {
		t.Errorf("SplitKey = %q, %q; want note, abc", name, session)
	}
}

func TestRefusals(t *testing.T) {
	message := func(s string) error { _, err := DecodeMessage([]byte(s)); return err }
	envelope := func(s string) error { _, err := DecodeEnvelope([]byte(s)); return err }
	awareness := func(s string) error { _, err := DecodeAwareness([]byte(s)); return err }
	tests := []struct {
		name   string
		decode func(string) error
		wire   string
		offset int
	}{
		{"empty frame", message, "", 0},
		{"unknown message", message, "\x04", 0},
		{"unknown sync step", message, "\x00\x03\x00", 1},
		{"buffer cut short", message, "\x00\x02\x05\x00", 2},
		{"two messages in a frame", message, "\x00\x02\x02\x00\x00\x01\x01\x00", 5},
		{"padded integer", message, "\x80\x00", 0},
		{"auth message y-protocols lacks", message, "\x02\x01\x00", 1},
		{"ping with a key", envelope, "\x01n\x09", 2},
		{"key too long", envelope, "\x81\x04" + strings.Repeat("k", MaxKey+1), 0},
		{"key is not UTF-8", envelope, "\x01\xff\x03", 0},
		{"token too long", envelope, "\x01n\x02\x00\x81\x20" + strings.Repeat("t", MaxToken+1), 4},
		{"unknown status", envelope, "\x01n\x08\x02", 3},
		{"trailing bytes", envelope, "\x01n\x03\x00", 3},
		{"more entries than bytes", awareness, "\x7f\x01\x01\x02{}", 0},
		{"state is not JSON", awareness, "\x01\x01\x01\x01{", 3},
		{"state is not UTF-8", awareness, "\x01\x01\x01\x03\"\xff\"", 3},
		{"state too long", awareness, "\x01\x01\x01\x83\x20\"" + strings.Repeat("a", MaxState+1) + "\"", 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.decode(tt.wire)
			var m *crdt.MalformedError
			if !errors.As(err, &m) || !errors.Is(err, crdt.ErrMalformed) || m.Offset != tt.offset {
				t.Errorf("error = %v; want malformed at byte %d", err, tt.offset)
			}
		})
	}
}

func TestAwareness(t *testing.T) {
	wire := "\x02\x05\x01\x02{}\x85\x01\x09\x04null"
	want := []Presence{{5, 1, []byte("{}")}, {133, 9, []byte("null")}}
	got, err := DecodeAwareness([]byte(wire))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("DecodeAwareness = %v, %v; want %v", got, err, want)
	}
	if got[0].Gone() || !got[1].Gone() {
		t.Errorf("Gone = %v, %v; want false, true", got[0].Gone(), got[1].Gone())
	}
	for state, gone := range map[string]bool{"null": true, " null ": true, "\r\n\tnull": true, `"null"`: false, "[null]": false} {
		ps, err := DecodeAwareness(AppendAwareness(nil, []Presence{{1, 1, []byte(state)}}))
		if err != nil || ps[0].Gone() != gone {
			t.Errorf("state %q: gone %v, %v; want %v", state, ps, err, gone)
		}
	}
	if b := AppendAwareness(nil, want); string(b) != wire {
		t.Errorf("AppendAwareness = %q; want %q", b, wire)
	}
}

// What is decoded encodes to the same bytes, in both protocols; what is refused
// says what is wrong and where. Neither takes more than 8 times the frame and 1 MB.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		"\x00\x00\x01\x00", "\x00\x01\x02\x00\x00", "\x00\x02\x02\x00\x00", "\x03", "\x02\x00\x02no", // y-protocols
		"\x01\x06\x01\x05\x01\x02{}", "\x02\x05\x01\x02{}\x85\x01\x09\x04null", // presence
		"\x01n\x02\x00\x01t\x054.8.0", "\x01n\x02\x02\x05where", "\x01n\x00\x00\x01\x00", "\x01n\x04\x02\x02\x00\x00", // Hocuspocus
		"\x01n\x05\x04text", "\x01n\x07\x03bye", "\x01n\x08\x01", "\x09", "\x0a", "\x03n\x00s\x03",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var m Message
		var e Envelope
		var ps []Presence
		var errs [3]error
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		m, errs[0] = DecodeMessage(b)
		e, errs[1] = DecodeEnvelope(b)
		ps, errs[2] = DecodeAwareness(b)
		runtime.ReadMemStats(&after)
		if got, limit := after.TotalAlloc-before.TotalAlloc, uint64(8*len(b)+1<<20); got > limit {
			t.Errorf("%d bytes allocated for a frame of %d, want at most %d", got, len(b), limit)
		}
		for _, err := range errs {
			var bad *crdt.MalformedError
			if err != nil && (!errors.As(err, &bad) || bad.What == "" || bad.Offset < 0 || bad.Offset > len(b)) {
				t.Errorf("refused with %v", err)
			}
		}
		if errs[0] == nil {
			if got := AppendMessage(nil, m); !bytes.Equal(got, b) {
				t.Errorf("message %x encodes to %x", b, got)
			}
		}
		if errs[1] == nil {
			got := AppendEnvelope(nil, e)
			again, err := DecodeEnvelope(got)
			if err != nil || !reflect.DeepEqual(again, e) {
				t.Errorf("envelope %x encodes to %x: %v", b, got, err)
			}
		}
		if errs[2] == nil {
			if got := AppendAwareness(nil, ps); !bytes.Equal(got, b) {
				t.Errorf("awareness %x encodes to %x", b, got)
			}
		}
	})
}
