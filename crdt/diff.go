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
	if err := u.decode(update, false, have); err != nil {
		return nil, err
	}
	if !u.dsPlain {
		w := new(writerV1)
		diffBlocks(&u, have, w)
		return w.finish(u.deletes()), nil
	}
	return u.newBytes(have), nil
}

// newBytes is what diffBlocks does for a decoded update whose news are noted, but
// copies what follows the first struct of a client, and the delete set, as they
// are.
func (u *Update) newBytes(have StateVector) []byte {
	size, clients := len(u.b)-u.ds, uint64(0)
	for _, s := range u.sections {
		if s.news.left > 0 {
			clients++
			size += s.stop - s.news.off
		}
	}
	out := appendUint(make([]byte, 0, size+40*int(clients)+10), clients)
	var b block
	for _, s := range u.sections {
		if s.news.left == 0 {
			continue
		}
		s.off, s.clock, s.count = s.news.off, s.news.clock, s.news.left
		x := u.structs(s)
		x.next(&b)
		if from := have[s.client]; uint64(b.clock) < from {
			b.slice(uint32(from) - b.clock)
		}
		out = appendUint(appendUint(appendUint(out, uint64(s.count)), uint64(s.client)), uint64(b.clock))
		out = appendBlock(out, &b, false)
		if s.verbatim {
			out = append(out, u.b[x.r.i:s.stop]...)
			continue
		}
		for x.next(&b) {
			out = appendBlock(out, &b, false)
		}
	}
	return append(out, u.b[u.ds:]...)
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
