package crdt

import "fmt"

// DiffUpdate returns the part of a version 1 update that a replica with the
// encoded state vector sv lacks. The delete set is passed on whole: a state
// vector does not say what is deleted.
func DiffUpdate(update, sv []byte) ([]byte, error) {
	have, err := DecodeStateVector(sv)
	if err != nil {
		return nil, fmt.Errorf("state vector: %w", err)
	}
	var u Update
	l := lacking{have: have}
	if err := u.decode(update, false, &l); err != nil {
		return nil, err
	}
	if !u.dsPlain {
		w := newWriterV1(u.ds)
		diffBlocks(&u, have, w)
		return w.finishAll([]Update{u}, false), nil
	}
	return l.bytes(&u), nil
}

// bytes is what diffBlocks does for an update that was decoded for l, but copies
// what follows the first struct of a client, and the delete set, as they are.
func (l *lacking) bytes(u *Update) []byte {
	const header, cut = 5 + 8 + 5, 1 + 8 + 5 // of a section; what a struct that is cut may gain
	have := l.have
	size, clients, whole := len(u.b)-u.ds, uint64(0), false
	for i, s := range u.sections {
		if s.count == 0 {
			continue
		}
		clients++
		size += header + int(l.ends[i].at-s.off)
		whole = l.ends[i].reaches(u.ds)
		if uint64(s.clock) < have[s.client] {
			size += cut
		}
	}
	if whole = whole && clients == 1; whole { // but for its beginning
		size = header + cut
	}
	out := appendUint(make([]byte, 0, size+10), clients)
	var b block
	for i, s := range u.sections {
		if s.count == 0 {
			continue
		}
		x := u.structs(s)
		x.next(&b)
		if from := have[s.client]; uint64(b.clock) < from {
			b.slice(uint32(from) - b.clock)
		}
		out = appendUint(appendUint(appendUint(out, uint64(s.count)), uint64(s.client)), uint64(b.clock))
		out = appendBlock(out, &b, false)
		if whole && len(out) <= x.r.i {
			return prepend(out, u.b, x.r.i)
		}
		if end := l.ends[i]; end.verbatim {
			out = append(out, u.b[x.r.i:end.at]...)
			continue
		}
		for x.next(&b) {
			out = appendBlock(out, &b, false)
		}
	}
	return append(out, u.b[u.ds:]...)
}

// reaches reports whether all up to the delete set is passed on byte for byte.
func (e sectionEnd) reaches(ds int) bool { return e.verbatim && int(e.at) == ds }

// prepend returns head and what follows from of b, of which that is the most: it is
// copied into memory that nobody cleared before.
func prepend(head, b []byte, from int) []byte {
	out := append([]byte(nil), b[from-len(head):]...)
	copy(out, head)
	return out
}

// diffBlocks writes what have lacks of u: per client all from the first struct
// that reaches past have. Skips between structs stay, a leading one is dropped.
func diffBlocks(u *Update, have StateVector, w writer) {
	var b, cut block
	for _, s := range u.sections {
		from := have[s.client]
		if uint64(s.end) <= from {
			continue
		}
		started := false
		for x := u.structs(s); x.next(&b); {
			switch {
			case !started && (b.ref == refSkip || uint64(b.end()) <= from):
				continue
			case !started && uint64(b.clock) < from:
				cut = b
				cut.slice(uint32(from) - b.clock)
				w.block(&cut)
			default:
				w.block(&b)
			}
			started = true
		}
	}
}

// EncodeStateVectorFromUpdate returns the encoded state vector of a replica
// that has applied just this version 1 update: per client the clocks from 0 up
// to the first hole.
func EncodeStateVectorFromUpdate(update []byte) ([]byte, error) {
	u, err := DecodeUpdate(update)
	if err != nil {
		return nil, err
	}
	return u.stateVector(), nil
}

// stateVector returns what a replica has that has applied just u, encoded.
func (u *Update) stateVector() []byte {
	n, size := uint64(0), 10
	for i := range u.sections {
		s := &u.sections[i]
		if s.end = u.known(*s); s.end > 0 {
			n++
			size += lenUint(uint64(s.client)) + lenUint(uint64(s.end))
		}
	}
	out := appendUint(make([]byte, 0, size), n)
	for k := range u.sections {
		if s := u.nth(k); s.end > 0 {
			out = appendID(out, ID{s.client, uint64(s.end)})
		}
	}
	return out
}

// known returns up to where s has all clocks from 0.
func (u *Update) known(s section) (to uint32) {
	if s.clock > 0 {
		return 0
	}
	var b block
	for x := u.structs(s); x.next(&b) && b.ref != refSkip; {
		to = b.end()
	}
	return to
}
