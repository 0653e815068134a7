package crdt

// Content lies in one byte arena, Doc.pay. A run owns payCap() bytes of it alone,
// from run.pay on, and uses the first payLen. Bytes that nobody owns any more are
// counted in Doc.garbage.

// minGarbage is what is not worth collecting.
const minGarbage = 64 << 10

// content returns the bytes of a run; valid until the document changes.
func (d *Doc) content(x *run) []byte { return d.pay[x.pay : x.pay+x.payLen] }

// setContent gives x a copy of b.
func (d *Doc) setContent(x *run, b []byte) {
	x.pay, x.payLen = uint32(len(d.pay)), uint32(len(b))
	d.pay = append(d.pay, b...)
}

func (d *Doc) dropContent(x *run) {
	d.garbage += int(x.payCap())
	x.pay, x.payLen = 0, 0
	x.setRoomy(false)
}

// fit takes from x the room it has to grow.
func (d *Doc) fit(x *run) {
	d.garbage += int(x.payCap() - x.payLen)
	x.setRoomy(false)
}

// splitPayload divides the content of left, which right was copied from, after
// the first left.n elements.
func (d *Doc) splitPayload(left, right *run) {
	d.fit(left)
	right.setRoomy(false)
	b := d.content(left)
	var at int
	switch left.ref() {
	case refString:
		if left.n+right.n == left.payLen {
			at = int(left.n)
			break
		}
		var inPair bool
		if left.n <= right.n {
			at, inPair = utf16Offset(b, int(left.n))
		} else { // from the nearer end, so that cuts in any order are n log n
			at, inPair = utf16Tail(b, int(right.n))
		}
		if inPair {
			d.splitPair(left, right, at)
			return
		}
	case refJSON, refAny:
		at = d.elementAt(left, left.n)
	default:
		return
	}
	right.pay += uint32(at)
	right.payLen -= uint32(at)
	left.payLen = uint32(at)
}

// splitPair divides a string inside the surrogate pair at byte at. Each half
// becomes U+FFFD, as in Yjs, so that lengths stay as they were.
//
// The shorter side is moved: many cuts must not cost the square of what they cut.
func (d *Doc) splitPair(left, right *run, at int) {
	if b := d.content(left); at < len(b)-at {
		head := append(append(make([]byte, 0, at+3), b[:at]...), replacement...)
		copy(b[at+1:], replacement)
		right.pay, right.payLen = left.pay+uint32(at)+1, uint32(len(b)-at-1)
		d.garbage += at + 1
		d.setContent(left, head)
		return
	}
	rest := append([]byte(replacement), d.content(left)[at+4:]...)
	copy(d.content(left)[at:], replacement)
	d.garbage += int(left.payLen) - at - 3
	left.payLen = uint32(at + 3)
	d.setContent(right, rest)
}

// joinPayload appends the content of right to that of left.
func (d *Doc) joinPayload(left, right *run) {
	if left.pay+left.payCap() == right.pay && left.payCap() == left.payLen {
		d.fit(right)
		left.setRoomy(false)
		left.payLen += right.payLen
		right.pay, right.payLen = 0, 0
		return
	}
	d.appendContent(left, d.content(right))
	d.dropContent(right)
}

// appendContent adds b to the content of x, in place if there is room. Moving
// makes room, so that a run that grows byte by byte costs linear time.
func (d *Doc) appendContent(x *run, b []byte) {
	need := x.payLen + uint32(len(b))
	switch {
	case len(b) == 0:
	case need <= x.payCap():
		copy(d.pay[x.pay+x.payLen:], b)
	case int(x.pay+x.payLen) == len(d.pay):
		d.pay = append(d.pay, b...)
		x.setRoomy(false)
	default:
		d.garbage += int(x.payCap())
		at := len(d.pay)
		d.pay = append(d.pay, d.content(x)...)
		d.pay = append(d.pay, b...)
		d.pay = append(d.pay, make([]byte, roomFor(need)-need)...)
		x.pay = uint32(at)
		x.setRoomy(true)
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
		x.pay = at
		x.setRoomy(false)
	}
	d.pay, d.garbage, d.stretches = pay, 0, nil
}
