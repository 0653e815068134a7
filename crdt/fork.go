package crdt

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// Fork returns the first element of u that the document has too, but otherwise:
// with other content or in another place. ok is false if there is none. Two
// writers under one client id make forks; a CRDT keeps whichever it saw first,
// so replicas would differ for ever with equal state vectors. What was deleted
// and collected can no longer be compared.
func (d *Doc) Fork(u *Update) (id ID, ok bool) {
	for _, s := range u.sections {
		c := d.lookup(s.client)
		if c == none || d.clients[c].next <= s.clock {
			continue
		}
		for b := range u.blocks(s) {
			if b.clock >= d.clients[c].next {
				break
			}
			if b.ref == refSkip || b.ref == refGC || b.ref == refDeleted {
				continue
			}
			if id, ok := d.forkOf(c, b); ok {
				return id, true
			}
		}
	}
	return ID{}, false
}

// forkOf compares b with the runs that cover its clocks.
func (d *Doc) forkOf(c int32, b *block) (ID, bool) {
	x := &d.clients[c].index
	var mine block
	theirs := *b // what is left of it
	rest := unitReader{s: b.content}
	for p, ok := x.find(d.runs, b.clock), true; ok; p, ok = x.next(p) {
		d.blockOf(x.at(p), &mine)
		if mine.clock >= b.end() {
			break
		}
		if mine.ref == refGC || mine.ref == refDeleted {
			continue
		}
		from := max(mine.clock, b.clock)
		mine.slice(from - mine.clock)
		if off := from - theirs.clock; off > 0 && b.ref == refString {
			rest.skip(off)
			theirs.sliceAt(off, 0)
		} else {
			theirs.slice(off)
		}
		if !mine.agrees(&theirs, rest) {
			return ID{b.client, uint64(from)}, true
		}
	}
	return ID{}, false
}

// agrees reports whether two structs that start at the same clock say the same
// of the clocks that both have. The units of o, if it is a string, are those of
// rest.
func (b *block) agrees(o *block, rest unitReader) bool {
	if b.hasOrigin != o.hasOrigin || b.hasOrigin && b.origin != o.origin || b.hasRight != o.hasRight || b.hasRight && b.right != o.right {
		return false
	}
	if !b.hasOrigin && !b.hasRight && (b.parentRoot != o.parentRoot || !bytes.Equal(b.root, o.root) || b.parent != o.parent || b.hasSub != o.hasSub || !bytes.Equal(b.sub, o.sub)) {
		return false
	}
	n := min(b.n, o.n)
	switch {
	case b.ref == refString && o.ref == refString:
		return sameUnits(unitReader{s: b.content}, rest, n)
	case bytes.Equal(b.content, o.content) && b.ref == o.ref:
		return true
	default:
		x, okX := b.plain(n)
		y, okY := o.plain(n)
		return okX && okY && bytes.Equal(x, y)
	}
}

// plain returns the first n elements in a form that does not depend on how they
// were encoded: peers write a value again in their own way. It is not ok for
// content that has one form only.
func (b *block) plain(n uint32) (out []byte, ok bool) {
	r := reader{b: b.content}
	switch b.ref {
	case refEmbed:
		out = appendJSON([]byte{refEmbed}, &reader{b: appendJSONAsAny(nil, r.str())})
	case refEmbedAny:
		out = appendJSON([]byte{refEmbed}, &r)
	case refFormat:
		out = append([]byte{refFormat}, r.str()...)
		out = appendJSON(out, &reader{b: appendJSONAsAny(nil, r.str())})
	case refFormatAny:
		out = append([]byte{refFormat}, r.str()...)
		out = appendJSON(out, &r)
	case refAny:
		out = []byte{refAny}
		for range n {
			out = append(appendJSON(out, &r), 0)
		}
	case refJSON:
		out = []byte{refJSON}
		for range n {
			out = append(append(out, r.str()...), 0)
		}
	default:
		return nil, false
	}
	return out, true
}

// sameUnits compares the first n UTF-16 units of two strings. U+FFFD agrees with
// either half of a surrogate pair: cutting one makes it so.
func sameUnits(a, b unitReader, n uint32) bool {
	for range n {
		x, y := a.next(), b.next()
		surrogate := x&0xf800 == 0xd800 || y&0xf800 == 0xd800
		if x != y && !(surrogate && (x == 0xfffd || y == 0xfffd)) {
			return false
		}
	}
	return true
}

// A unitReader reads the UTF-16 units of valid UTF-8.
type unitReader struct {
	s    []byte
	half uint16 // of a surrogate pair, still to come
}

func (u *unitReader) next() uint16 {
	if u.half != 0 {
		half := u.half
		u.half = 0
		return half
	}
	r, size := utf8.DecodeRune(u.s)
	if u.s = u.s[size:]; r < 0x10000 {
		return uint16(r)
	}
	high, low := utf16.EncodeRune(r)
	u.half = uint16(low)
	return uint16(high)
}

func (u *unitReader) skip(n uint32) {
	for range n {
		u.next()
	}
}
