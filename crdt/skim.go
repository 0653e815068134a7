package crdt

import (
	"encoding/binary"
	"math/bits"
)

// A shape is what a struct looks like that stands between two elements of the
// client whose structs are read, with clocks that take as many bytes as its own:
// nearly all of a text that one person types. Where its parts are is known before
// any is read, so that the processor need not wait for one to find the next. Of
// an ID it takes the last 8 bytes as one number, which orders IDs by clock.
type shape struct {
	id         int    // bytes of an ID
	word, mask uint64 // of an ID: the client, and which bytes of a clock another follows
	least      uint64 // of an ID: the first clock that takes so many bytes
	low        uint   // where an ID's clock begins, in bits
	until      uint32 // the first clock that takes more
}

// shape returns that of structs from clock on, which is not 0, if there is one.
func (own *owner) shape(clock uint32) (s shape, ok bool) {
	size := (bits.Len32(clock) + 6) / 7
	s.id = own.size + size
	if s.id > 8 || size > 4 {
		return s, false
	}
	s.low = uint(8 * (8 - size))
	goOn := uint64(0x0080808080808080) >> s.low << s.low
	s.mask = own.mask<<(8*(8-s.id)) | goOn | 1<<63
	s.word = own.word&own.mask<<(8*(8-s.id)) | goOn
	s.least = s.word
	if size > 1 {
		s.least |= 1 << 56
	}
	s.until = 1 << (7 * size)
	return s, true
}

// encode returns the last 8 bytes of the ID of a clock.
func (s *shape) encode(clock uint32) uint64 {
	c := uint64(clock)
	c = c&0x7f | c<<1&0x7f00 | c<<2&0x7f0000 | c<<3&0x7f000000
	return c<<s.low | s.word
}

// decode returns the clock of an ID that has the shape.
func (s *shape) decode(id uint64) uint32 {
	c := (id ^ s.word) >> s.low
	return uint32(c&0x7f | c>>1&0x3f80 | c>>2&0x1fc000 | c>>3&0xfe00000)
}

// skimmed says by the info byte which structs have a shape: 0 if it is deleted
// elements, 0x7f if it is a string, whose length then is that of its content; else
// 0x80.
var skimmed = func() (t [256]uint8) {
	for k := range t {
		t[k] = 0x80
	}
	t[infoOrigin|infoRight|refDeleted] = 0
	t[infoOrigin|infoRight|refString] = 0x7f
	return t
}()

// A skimmer passes structs fast where nothing but their number and the size of
// their content is asked for.
type skimmer struct {
	structs
	pause pause
}

// A pause is for how many structs that is not tried again which passed few of them.
type pause struct{ rest, last uint32 }

// over reports whether it is time to try again; if not, one more struct is waited for.
func (p *pause) over() bool {
	if p.rest == 0 {
		return true
	}
	p.rest--
	return false
}

// passed pauses if n structs were few.
func (p *pause) passed(n uint32) {
	if p.last = min(2*p.last+1, longestPause); n >= leastSkimmed {
		p.last = 0
	}
	p.rest = p.last
}

// failed pauses because n structs have to be read after all.
func (p *pause) failed(n uint32) {
	p.last = min(max(2*p.last, n), longestPause)
	p.rest = p.last
}

// Up to how many structs are skimmed at once, how few are not worth it, and for how
// many at most it is not tried again then.
const mostSkimmed, leastSkimmed, longestPause = 256, 16, 1 << 12

// skim passes some structs that have a shape, or are pieces, and end before or with
// the clock until. It returns how many bytes of content they have and whether there
// were any.
//
// Whether all content is ASCII, so that its bytes are its elements, shows at the
// end: by how many bytes of all have their high bit set. If it is not, skim has
// passed nothing.
func (x *skimmer) skim(until uint32) (content int, ok bool) {
	s, until, ok := x.begin(until)
	if !ok {
		return 0, false
	}
	in := x.r.b[:len(x.r.b):len(x.r.b)]
	i, left, room := x.r.i, min(x.left, mostSkimmed), until-x.clock
	begin, passed := i, left
	var p piece
	var others, header, ends int // of pieces without a shape: how many, the bytes that are not content, and those of them below 0x80
	for {
		i, left, room = s.pass(in, i, left, room, s.encode(until-room))
		if left == 0 {
			break
		}
		end := x.own.piece(in, i, until-room, &p)
		if end == 0 || p.n > room {
			break
		}
		others, header, ends = others+1, header+end-i-p.size, ends+p.ends()
		i, left, room = end, left-1, room-p.n
	}
	passed -= left
	shaped := int(passed) - others
	header, ends = header+shaped*(2+2*s.id), ends+shaped*5 // as p.ends
	if highBits(in[begin:i]) != header-ends {
		x.pause.failed(passed)
		return 0, false
	}
	x.passed(passed, i, until-room)
	return i - begin - header, passed > 0
}

// pass passes structs that have the shape from byte i on, as long as there are some
// left and the clocks that there is room for; next is what the ID of the first
// one's clock would be. It is apart from skim so that what it needs fits into the
// processor's registers.
//
//go:noinline
func (s *shape) pass(in []byte, i int, left, room uint32, next uint64) (int, uint32, uint32) {
	const before, window = 7, 64 // what is read of a struct: from so many bytes before it on, so many
	j := i - before
	head := 2 + 2*s.id
	last := len(in) - head - 0x7f - before
	if j < 0 || last < 0 {
		return i, left, room
	}
	in = in[:last+window]
	// Where the last 8 bytes of the IDs begin.
	origin, right := s.id&15, 2*s.id&31
	for ; left > 0 && j <= len(in)-window; left-- {
		y := (*[window]byte)(in[j : j+window])
		o, r := binary.LittleEndian.Uint64(y[origin:origin+8]), binary.LittleEndian.Uint64(y[right:right+8])
		n, kind := y[right+8], skimmed[y[before]]
		if ((o^s.word)|(r^s.word))&s.mask != 0 || o < s.least || r < s.least || o >= next || r >= next || (kind|n)&0x80 != 0 || uint32(n)-1 >= room {
			break
		}
		j += head + int(n&kind)
		room -= uint32(n)
		next = next + uint64(n)<<(s.low&63) | s.word // the carry passes the bits in between, as they are set
	}
	return j + before, left, room
}

// begin returns the shape that the next structs should have, if it is time to skim,
// and up to which clock, at most until.
func (x *skimmer) begin(until uint32) (s shape, to uint32, ok bool) {
	if !x.pause.over() || x.left < leastSkimmed || x.clock == 0 || x.r.i < 8 {
		return s, 0, false
	}
	s, ok = x.own.shape(x.clock)
	to = min(until, s.until)
	return s, to, ok && x.clock < to
}

// passed moves behind n structs, to byte i and clock.
func (x *skimmer) passed(n uint32, i int, clock uint32) {
	x.r.i, x.clock, x.left = i, clock, x.left-n
	x.pause.passed(n)
}

// ends returns how many bytes before the content are below 0x80: the last of each
// integer, of which an ID has two, and the first of all without an origin.
func (p *piece) ends() int { return 2 + int(p.info>>7) + 2*int(p.info>>6&1) }

// highBits returns how many bytes are no ASCII. It counts in each byte of two words
// for as long as a byte can.
func highBits(b []byte) (n int) {
	const low, even = 0x0101010101010101, 0x00ff00ff00ff00ff
	const step, most = 64, 64 * (255 / 4)
	for len(b) >= step {
		var counts, more uint64
		words := b[:min(len(b)&^(step-1), most)]
		b = b[len(words):]
		for i := 0; i <= len(words)-step; i += step {
			w := (*[step]byte)(words[i : i+step : i+step])
			counts += binary.LittleEndian.Uint64(w[0:])>>7&low + binary.LittleEndian.Uint64(w[8:])>>7&low +
				binary.LittleEndian.Uint64(w[16:])>>7&low + binary.LittleEndian.Uint64(w[24:])>>7&low
			more += binary.LittleEndian.Uint64(w[32:])>>7&low + binary.LittleEndian.Uint64(w[40:])>>7&low +
				binary.LittleEndian.Uint64(w[48:])>>7&low + binary.LittleEndian.Uint64(w[56:])>>7&low
		}
		n += int((counts&even + counts>>8&even + more&even + more>>8&even) * (low & even) >> 48)
	}
	for _, c := range b {
		n += int(c >> 7)
	}
	return n
}
