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
	u, err := DecodeUpdate(update)
	if err != nil {
		return nil, err
	}
	if !u.dsSorted {
		w := new(writerV1)
		diffBlocks(u, have, w)
		return w.finish(u.deletes()), nil
	}
	return u.diffBytes(have), nil
}

// diffBytes is what diffBlocks does, but copies what follows the first struct of
// a client and the delete set as they are.
func (u *Update) diffBytes(have StateVector) []byte {
	out := make([]byte, 0, len(u.b)+16)
	clients := uint64(0)
	body := make([]byte, 0, len(u.b)+16)
	for _, s := range u.sections {
		from := have[s.client]
		if uint64(s.end) <= from {
			continue
		}
		first, left, at := u.firstBeyond(s, from)
		if left == 0 {
			continue
		}
		clients++
		body = appendUint(appendUint(appendUint(body, uint64(left)), uint64(s.client)), uint64(first.clock))
		body = appendBlock(body, &first, false)
		if s.verbatim {
			body = append(body, u.b[at:s.stop]...)
			continue
		}
		s.clock, s.off, s.count = first.end(), at, left-1
		u.blocks(s, func(b *block) bool { body = appendBlock(body, b, false); return true })
	}
	out = append(appendUint(out, clients), body...)
	if u.emptyDeletes() {
		return appendDeleteSet(out, u.deletes())
	}
	return append(out, u.b[u.ds:]...)
}

// firstBeyond returns the first struct of s that reaches past clock from, cut to
// start there, how many structs are left with it, and where the next begins.
func (u *Update) firstBeyond(s section, from uint64) (first block, left uint32, at int) {
	r := reader{b: u.b, i: s.off}
	b := block{client: s.client, clock: s.clock}
	for k := range s.count {
		if readBlock(&r, &b, u.internal); b.ref != refSkip && uint64(b.end()) > from {
			if uint64(b.clock) < from {
				b.slice(uint32(from) - b.clock)
			}
			return b, s.count - k, r.i
		}
		b.clock += b.n
	}
	return b, 0, 0
}

// emptyDeletes reports whether the delete set names clients without ranges.
func (u *Update) emptyDeletes() bool {
	r := reader{b: u.b, i: u.ds}
	named, n := r.uint(), uint64(0)
	last := ClientID(MaxInt + 1)
	readDeleteSet(&reader{b: u.b, i: u.ds}, func(g DeleteRange) {
		if g.Client != last {
			n++
		}
		last = g.Client
	})
	return named != n
}

// diffBlocks writes what have lacks of u: per client all from the first struct
// that reaches past have. Skips between structs stay, a leading one is dropped.
func diffBlocks(u *Update, have StateVector, w writer) {
	for _, s := range u.sections {
		started := false
		from := have[s.client]
		if uint64(s.end) <= from {
			continue
		}
		u.blocks(s, func(b *block) bool {
			if !started {
				if b.ref == refSkip || uint64(b.end()) <= from {
					return true
				}
				if started = true; uint64(b.clock) < from {
					c := *b
					c.slice(uint32(from) - c.clock)
					w.block(&c)
					return true
				}
			}
			w.block(b)
			return true
		})
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
	return u.stateVector().Encode(), nil
}

func (u *Update) stateVector() StateVector {
	sv := make(StateVector, len(u.sections))
	for _, s := range u.sections {
		if s.clock != 0 {
			continue
		}
		u.blocks(s, func(b *block) bool {
			if b.ref == refSkip {
				return false
			}
			sv[s.client] = uint64(b.end())
			return true
		})
	}
	return sv
}
