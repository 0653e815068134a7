package crdt

import "math/bits"

// none is the absent index: no run, client, list, type or key.
const none int32 = -1

// A run is consecutive elements of one client that are still together: one
// struct of Yjs. Runs live in Doc.runs and refer to each other by index, so that
// a document is a handful of pointer-free slices. It is packed into 44 bytes,
// which is most of what a document takes: what few runs have lies beside them
// (see sparse).
type run struct { // of runSize bytes
	clk, n uint32 // first clock and number of clocks
	l, r   int32  // neighbours in its list
	oK, rK uint32 // clocks of origin and right origin

	pay, payLen uint32 // content in Doc.pay

	clients [2]uint32 // three indexes into Doc.clients, see clientsOf
	bits    uint32    // see bitsOf
}

const runSize = 44

// Indexes that are packed may be -1, none, up to these.
const (
	clientBits, maxClients = 21, 1<<20 - 1
	listShift, maxLists    = 7, 1<<24 - 1
)

// clientsOf packs a run's client with those of its origin and right origin, or
// none.
func clientsOf(cl, oC, rC int32) [2]uint32 {
	const mask = 1<<clientBits - 1
	v := uint64(cl)&mask | uint64(oC)&mask<<clientBits | uint64(rC)&mask<<(2*clientBits)
	return [2]uint32{uint32(v), uint32(v >> 32)}
}

func (x *run) client(k uint) int32 {
	v := uint64(x.clients[0]) | uint64(x.clients[1])<<32
	return int32(int64(v<<(64-clientBits*(k+1))) >> (64 - clientBits)) // with its sign
}

func (x *run) cl() int32 { return x.client(0) }
func (x *run) oC() int32 { return x.client(1) } // none: no origin
func (x *run) rC() int32 { return x.client(2) } // none: no right origin

func (x *run) setOrigin(cl int32, clk uint32) {
	x.clients, x.oK = clientsOf(x.cl(), cl, x.rC()), clk
}

// Flags of run.bits, above its content reference.
const (
	isDeleted = 1 << 5
	isRoomy   = 1 << 6 // its content has room to grow, see payCap
)

// bitsOf packs the list where a run is linked, none if it is collected, with
// what it holds.
func bitsOf(list int32, ref uint8) uint32 { return uint32(list)<<listShift | uint32(ref) }

func (x *run) list() int32   { return int32(x.bits) >> listShift }
func (x *run) ref() uint8    { return uint8(x.bits) & infoRef }
func (x *run) deleted() bool { return x.bits&isDeleted != 0 }
func (x *run) setDeleted()   { x.bits |= isDeleted }

func (x *run) setRef(ref uint8) { x.bits = x.bits&^infoRef | uint32(ref) }

func (x *run) end() uint32 { return x.clk + x.n }

func (x *run) countable() bool {
	return x.ref() != refDeleted && x.ref() != refFormat && x.ref() != refFormatAny
}

// payCap returns how many bytes of Doc.pay the run owns.
func (x *run) payCap() uint32 {
	if x.bits&isRoomy == 0 {
		return x.payLen
	}
	return roomFor(x.payLen)
}

// roomFor returns how many bytes content that has been moved to grow is given.
func roomFor(n uint32) uint32 { return max(16, uint32(1)<<bits.Len32(n-1)) }

// setRoomy says whether the run owns what roomFor gives it, or just its content.
func (x *run) setRoomy(roomy bool) {
	x.bits &^= isRoomy
	if roomy {
		x.bits |= isRoomy
	}
}

// sparse is a property that few runs of a document have, by their index. It
// reaches as far as it must.
type sparse []int32

func (s sparse) at(i int32) int32 {
	if int(i) < len(s) {
		return s[i]
	}
	return none
}

func (s *sparse) set(i, v int32) {
	if int(i) >= len(*s) {
		if v == none {
			return
		}
		for len(*s) <= int(i) {
			*s = append(*s, none)
		}
	}
	(*s)[i] = v
}
