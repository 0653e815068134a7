package ysync

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"github.com/clisonix/tidechart/crdt"
)

// A Presence is what one client says of itself. State is its JSON; null means
// that the client has left. Decoded, it is JSON in UTF-8: a browser throws on
// anything else. Of two, the one with the greater Clock counts; at
// equal clocks a null replaces what is known.
type Presence struct {
	Client crdt.ClientID
	Clock  uint64
	State  []byte
}

// Gone reports whether the client has left. JSON may have white space around it.
func (p Presence) Gone() bool { return string(bytes.Trim(p.State, " \t\r\n")) == "null" }

// DecodeAwareness reads the Data of an Awareness message. It says nothing about
// who may speak for a client: y-protocols lets anyone speak for all.
func DecodeAwareness(data []byte) ([]Presence, error) {
	d := decoder{b: data}
	n := d.uint()
	if n > MaxPresences || n > uint64(len(data)/3) {
		d.failAt("more entries than allowed, or than bytes", 0)
	}
	if d.err != nil {
		return nil, d.err
	}
	ps := make([]Presence, 0, n)
	for range n {
		p := Presence{Client: crdt.ClientID(d.uint()), Clock: d.uint()}
		at := d.i
		p.State = d.bytes(MaxState)
		switch {
		case !utf8.Valid(p.State): // which json.Valid does not ask
			d.failAt("state is not UTF-8", at)
		case !json.Valid(p.State):
			d.failAt("state is not JSON", at)
		}
		if d.err != nil {
			return nil, d.err
		}
		ps = append(ps, p)
	}
	if err := d.end(); err != nil {
		return nil, err
	}
	return ps, nil
}

// AppendAwareness appends what an Awareness message carries as Data.
func AppendAwareness(b []byte, ps []Presence) []byte {
	b = appendUint(b, uint64(len(ps)))
	for _, p := range ps {
		b = appendUint(appendUint(b, uint64(p.Client)), p.Clock)
		b = appendBytes(b, p.State)
	}
	return b
}
