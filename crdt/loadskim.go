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
		x.pause.failed(passed)
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
func (l *loader) skim2(x *decoderV2, b *batch, clock uint32, left uint64) (passed uint64, next uint32) {
	if x.col[colClient].value != uint64(l.id) || !b.pause.over() {
		return 0, clock
	}
	b.read(x, left)
	next, ok := l.addBatch(b, clock)
	if !ok {
		x.rest.fail("not valid")
		return 0, clock
	}
	l.d.pay = append(l.d.pay, x.str[:b.size]...)
	x.str, x.ascii = x.str[b.size:], x.ascii-b.size
	return uint64(b.n), next
}

// addBatch makes runs of a batch from a clock on, whose content is to be added. It
// returns the clock behind them, and whether they are valid.
func (l *loader) addBatch(b *batch, clock uint32) (next uint32, ok bool) {
	d := l.d
	at := len(d.runs)
	if cap(d.runs)-at < b.n {
		l.grow(b.n)
	}
	d.runs = d.runs[:at+b.n]
	clients, pay := clientsOf(l.cl, l.cl, l.cl), uint32(len(d.pay))
	kinds, left, right := b.kinds[:b.n], b.left[:b.n], b.right[:b.n]
	text, failed := 0, b.failed
	for i := range d.runs[at:] {
		is := -uint32(kinds[i] & 1) // all ones if it is a string, which is as good as random
		size := b.texts[text] & is
		n := size | b.gaps[i-text]&^is
		text += int(is & 1)
		failed = failed || left[i] >= clock || right[i] >= clock || n-1 >= MaxClock-clock
		x := &d.runs[at+i]
		x.clk, x.n, x.l, x.r, x.oK, x.rK = clock, n, none, none, left[i], right[i]
		x.pay, x.payLen, x.clients, x.bits = pay, size, clients, bitsOf(none, uint8(refDeleted&^is|refString&is))
		clock, pay = clock+n, pay+size
	}
	return clock, !failed
}
