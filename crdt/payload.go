package crdt

// Content lies in one byte arena, Doc.pay. A run owns pay[off:off+payCap] of it
// alone and uses the first payLen bytes. Bytes that nobody owns any more are
// counted in Doc.garbage.

// minGarbage is what is not worth collecting.
const minGarbage = 64 << 10

// content returns the bytes of a run; valid until the document changes.
func (d *Doc) content(x *run) []byte { return d.pay[x.pay : x.pay+x.payLen] }

// setContent gives x a copy of b.
func (d *Doc) setContent(x *run, b []byte) {
	x.pay, x.payLen, x.payCap = uint32(len(d.pay)), uint32(len(b)), uint32(len(b))
	d.pay = append(d.pay, b...)
}

func (d *Doc) dropContent(x *run) {
	d.garbage += int(x.payCap)
	x.pay, x.payLen, x.payCap = 0, 0, 0
}

// splitPayload divides the content of left, which right was copied from, after
// the first left.n elements.
func (d *Doc) splitPayload(left, right *run) {
	b := d.content(left)
	var at int
	switch left.ref {
	case refString:
		if left.n+right.n == left.payLen {
			at = int(left.n)
			break
		}
		var inPair bool
		if at, inPair = utf16Offset(b, int(left.n)); inPair {
			d.splitPair(left, right, at)
			return
		}
	case refJSON, refAny:
		at = elementOffset(left.ref, b, left.n)
	default:
		return
	}
	right.pay += uint32(at)
	right.payLen -= uint32(at)
	right.payCap -= uint32(at)
	left.payLen, left.payCap = uint32(at), uint32(at)
}

// splitPair divides a string inside the surrogate pair at byte at. Each half
// becomes U+FFFD, as in Yjs, so that lengths stay as they were.
func (d *Doc) splitPair(left, right *run, at int) {
	rest := append([]byte(replacement), d.content(left)[at+4:]...)
	copy(d.content(left)[at:], replacement)
	d.garbage += int(left.payCap) - at - 3
	left.payLen, left.payCap = uint32(at+3), uint32(at+3)
	d.setContent(right, rest)
}

// joinPayload appends the content of right to that of left.
func (d *Doc) joinPayload(left, right *run) {
	switch {
	case right.payLen == 0:
		d.garbage += int(right.payCap)
	case left.pay+left.payCap == right.pay && left.payLen == left.payCap:
		left.payLen += right.payLen
		left.payCap += right.payCap
	default:
		d.appendContent(left, d.content(right))
		d.garbage += int(right.payCap)
	}
	right.pay, right.payLen, right.payCap = 0, 0, 0
}

// appendContent adds b to the content of x, in place if there is room. Moving
// doubles the room, so that a run that grows byte by byte costs linear time.
func (d *Doc) appendContent(x *run, b []byte) {
	need := x.payLen + uint32(len(b))
	switch {
	case need <= x.payCap:
		copy(d.pay[x.pay+x.payLen:], b)
	case int(x.pay+x.payCap) == len(d.pay):
		d.pay = append(d.pay[:x.pay+x.payLen], b...)
		x.payCap = need
	default:
		at := len(d.pay)
		room := uint32(2*need + 8)
		d.pay = append(d.pay, d.content(x)...)
		d.pay = append(d.pay, b...)
		d.pay = append(d.pay, make([]byte, room-need)...)
		d.garbage += int(x.payCap)
		x.pay, x.payCap = uint32(at), room
	}
	x.payLen = need
}

// compact rewrites the arena once more than half of it is garbage.
func (d *Doc) compact() {
	if d.garbage < minGarbage || d.garbage < len(d.pay)/2 {
		return
	}
	pay := make([]byte, 0, len(d.pay)-d.garbage)
	for i := range d.runs {
		x := &d.runs[i]
		at := uint32(len(pay))
		pay = append(pay, d.content(x)...)
		x.pay, x.payCap = at, x.payLen
	}
	d.pay, d.garbage = pay, 0
}
