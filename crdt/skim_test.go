package crdt

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// Skimming finds what reading struct by struct finds, and refuses what that does,
// at the same byte.
func TestSkim(t *testing.T) {
	rounds := 30_000
	if testing.Short() || checking { // which is slow
		rounds = 2000
	}
	for seed := range uint64(rounds) {
		r := rand.New(rand.NewPCG(seed, 7))
		b := mostlyShaped(r)
		for range r.IntN(3) {
			b[r.IntN(len(b))] = byte(r.Uint32() >> r.IntN(8))
		}
		skimsAs(t, b, uint64(r.Uint32()>>r.IntN(24)))
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func FuzzSkim(f *testing.F) {
	for seed := range uint64(32) {
		f.Add(mostlyShaped(rand.New(rand.NewPCG(seed, 8))), seed*1000)
	}
	f.Fuzz(func(t *testing.T, b []byte, have uint64) { skimsAs(t, b, have) })
}

// mostlyShaped returns an update with the structs of one client, of which most
// stand between two of its own.
func mostlyShaped(r *rand.Rand) []byte {
	client := []ClientID{1, 200, 3_000_000_000, 1 << 40, MaxInt}[r.IntN(5)]
	clock := []uint32{0, 5, 100, 16_000, 2_097_000, 1<<28 - 500, MaxClock - 3000}[r.IntN(7)]
	odd, foreign := 1<<r.IntN(10), 2+r.IntN(200)
	var w writerV1
	for range 40 + r.IntN(400) {
		b := block{client: client, clock: clock, n: uint32(1 + r.IntN(1<<r.IntN(9))), ref: refDeleted}
		id := func() ID {
			if clock == 0 || r.IntN(foreign) == 0 {
				return ID{client + 1 - 2*(client&1), uint64(r.IntN(1000))}
			}
			return ID{client, uint64(clock - 1 - uint32(r.IntN(1<<r.IntN(20)))%clock)}
		}
		b.hasOrigin, b.origin, b.hasRight, b.right = true, id(), true, id()
		if r.IntN(odd) == 0 {
			b.hasOrigin, b.hasRight = r.IntN(2) == 0, r.IntN(2) == 0
			b.parentRoot, b.root = !b.hasOrigin && !b.hasRight, []byte("t")
		}
		if r.IntN(2) == 0 {
			b.ref, b.content = refString, []byte(strings.Repeat("x", int(b.n)))
			if r.IntN(odd) == 0 {
				b.content = append(b.content, "é"...)
				b.n++
			}
		}
		if b.n > MaxClock-clock {
			break
		}
		w.block(&b)
		clock += b.n
	}
	return w.finish([]DeleteRange{{client, 0, 1}, {client, 20_000, 3}})
}

// skimsAs decodes b for somebody who has so many clocks of each client.
func skimsAs(t *testing.T, b []byte, have uint64) {
	t.Helper()
	var want Update
	sv := StateVector{}
	wants := lacking{have: sv}
	failed := want.readSlowly(b, have, &wants)
	var got Update
	gets := lacking{have: sv}
	err := got.decode(b, false, &gets)
	var m *MalformedError
	if failed != nil {
		if !errors.As(err, &m) || *m != *failed {
			t.Errorf("refused as %v, not %v", err, failed)
		}
		return
	}
	if err != nil {
		return // for what comes after the structs
	}
	if got.payload != want.payload || got.lists != want.lists || !slices.Equal(got.sections, want.sections) || !slices.Equal(gets.ends, wants.ends) {
		t.Errorf("skimmed to %+v %+v\nread as %+v %+v", got, gets.ends, want, wants.ends)
	}
}

// readSlowly is the part of decode that reads structs, without any short cut. It
// notes in l what somebody lacks who has so many clocks of each client.
func (u *Update) readSlowly(v1 []byte, have uint64, l *lacking) *MalformedError {
	r := reader{b: v1}
	for range r.count(3) {
		at := r.i
		s := section{count: uint32(min(r.count(2), MaxClock)), client: ClientID(r.uint())}
		verbatim, news := true, section{}
		clock := r.uint()
		if clock > MaxClock {
			r.failAt("clock above 2^32-1", at)
		}
		s.clock, s.off, l.have[s.client] = uint32(clock), uint32(r.i), have
		b := block{client: s.client, clock: s.clock}
		for left := s.count; left > 0 && r.err == nil; left-- {
			start := r.i
			if readBlock(&r, &b, false); r.err != nil {
				break
			}
			if news.count == 0 && uint64(b.end()) > have && b.ref != refSkip {
				news = section{clock: b.clock, count: left, off: uint32(start)}
			}
			verbatim = verbatim && b.subBit == b.hasSub
			u.payload, u.lists = u.payload+len(b.content), u.lists+b.lists()
			b.clock = b.end()
		}
		if s.end = b.clock; s.count > 0 {
			if s.count = news.count; s.count > 0 {
				s.clock, s.off = news.clock, news.off
			}
			u.sections = append(u.sections, s)
			l.ends = append(l.ends, sectionEnd{uint32(r.i), verbatim})
		}
		if r.err != nil {
			break
		}
	}
	if r.err != nil {
		return r.err.(*MalformedError)
	}
	return nil
}

// A range that is read at once is the one that its integers say.
func TestFastRange(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	hits := 0
	for range 100_000 {
		var b [5]byte
		for k := range b {
			b[k] = byte(r.Uint32()) | byte(0x80>>(8*(k/2))) // the first two go on
		}
		b[2] >>= r.IntN(9)
		clock, n, end := fastRange(b[:], 0)
		if end == 0 {
			continue
		}
		hits++
		s := reader{b: b[:]}
		if wantClock, wantN := s.uint(), s.uint(); s.err != nil || s.i != end || uint64(clock) != wantClock || uint64(n) != wantN || n == 0 {
			t.Fatalf("%x is %d, %d up to %d, not %d, %d, %v", b, clock, n, end, wantClock, wantN, s.err)
		}
	}
	if hits < 1000 {
		t.Errorf("only %d ranges are read at once", hits)
	}
}
