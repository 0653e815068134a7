package crdt

import "encoding/binary"

// skim makes runs of structs as [skimmer.skim] passes them, and reports whether it
// made any.
func (l *loader) skim(x *skimmer) bool {
	s, until, ok := x.begin(MaxClock)
	if !ok {
		return false
	}
	d, in := l.d, x.r.b[:len(x.r.b):len(x.r.b)]
	i, left, clock := x.r.i, min(x.left, mostSkimmed), x.clock
	last, passed := len(in)-(2+2*s.id+0x7f), left
	runs, pay := len(d.runs), len(d.pay)
	word, mask, least, next := s.word, s.mask, s.least, s.encode(clock)
	origin, right, size := s.id&15, 2*s.id&31, 2*s.id&31+8
	clients := clientsOf(l.cl, l.cl, l.cl)
	var p piece
	for left > 0 && i <= last {
		y := (*[64]byte)(in[i-7 : i+57 : i+57])
		o, r := binary.LittleEndian.Uint64(y[origin:origin+8]), binary.LittleEndian.Uint64(y[right:right+8])
		n, kind := y[size], skimmed[y[7]]
		if ((o^word)|(r^word))&mask != 0 || o < least || r < least || o >= next || r >= next || (kind|n)&0x80 != 0 || uint32(n)-1 >= until-clock {
			end := x.own.piece(in, i, clock, &p)
			if end == 0 || p.n > until-clock {
				break
			}
			l.addPiece(clock, &p, in[p.from:p.from+p.size])
			i, left, clock = end, left-1, clock+p.n
			next = s.encode(clock)
			continue
		}
		content := n & kind
		run := l.room()
		run.clk, run.n, run.l, run.r, run.oK, run.rK = clock, uint32(n), none, none, s.decode(o), s.decode(r)
		run.pay, run.payLen, run.clients, run.bits = uint32(len(d.pay)), uint32(content), clients, bitsOf(none, y[7]&infoRef)
		i += 2 + 2*s.id
		d.pay = appendShort(d.pay, in[i:], int(content))
		i += int(content)
		clock += uint32(n)
		next = next + uint64(n)<<s.low | word
		left--
	}
	passed -= left
	if !isASCII(d.pay[pay:]) {
		d.runs, d.pay = d.runs[:runs], d.pay[:pay]
		x.failed(passed)
		return false
	}
	x.passed(passed, i, clock)
	return passed > 0
}

// appendShort appends the first n bytes of s to b, up to 32 all alike: how many they
// are is as good as random.
func appendShort(b, s []byte, n int) []byte {
	const short = 32
	if n > short || len(s) < short || cap(b)-len(b) < short {
		return append(b, s[:n]...)
	}
	at := len(b)
	*(*[short]byte)(b[at : at+short : at+short]) = [short]byte(s[:short])
	return b[:at+n]
}

// skim2 is skim for version 2, from a clock on. It returns how many of left structs
// it passed, 0 if the next is another or is not valid, and the clock behind them.
func (l *loader) skim2(x *decoderV2, clock uint32, left uint64) (passed uint64, next uint32) {
	d := l.d
	clients := clientsOf(l.cl, l.cl, l.cl)
	info, of, origin, right := &x.col[colInfo], &x.col[colClient], &x.col[colLeftClock], &x.col[colRightClock]
	most := min(left, mostSkimmed)
	if of.value != uint64(l.id) {
		return 0, clock
	}
	for passed < most {
		if info.count == 0 {
			info.nextByte()
		}
		ref := byte(info.value) & infoRef
		if skimmed[byte(info.value)] == 0x80 || of.count < 2 {
			break
		}
		n, content, at := uint64(0), 0, len(d.pay)
		if lengths := &x.col[colString]; ref == refString {
			if lengths.count == 0 {
				lengths.nextUint()
			}
			if n = lengths.value; n > uint64(x.ascii) {
				break
			}
			lengths.count--
			content = int(n)
			d.pay = appendShort(d.pay, x.str, content)
			x.str, x.ascii = x.str[n:], x.ascii-content
		} else {
			n = x.col[colLen].uint()
		}
		if origin.count == 0 {
			origin.nextDiff()
		}
		if right.count == 0 {
			right.nextDiff()
		}
		oK, rK := uint64(int64(origin.value)+origin.diff), uint64(int64(right.value)+right.diff) // huge if negative
		if oK >= uint64(clock) || rK >= uint64(clock) || n-1 >= uint64(MaxClock-clock) {
			x.rest.fail("not valid")
			return 0, clock
		}
		origin.value, right.value = oK, rK
		info.count, of.count, origin.count, right.count = info.count-1, of.count-2, origin.count-1, right.count-1
		run := l.room()
		run.clk, run.n, run.l, run.r, run.oK, run.rK = clock, uint32(n), none, none, uint32(oK), uint32(rK)
		run.pay, run.payLen, run.clients, run.bits = uint32(at), uint32(content), clients, bitsOf(none, ref)
		clock += uint32(n)
		passed++
	}
	return passed, clock
}
