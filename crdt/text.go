package crdt

import "strings"

// A Span is a piece of text, or an embed, with one set of formats and one
// author: who wrote it first, if it repeats what an editor moved (see
// [Doc.Credit]).
type Span struct {
	Insert     any            // a string, or as [Child.Value]
	Attributes map[string]any // formats; nil if none
	Author     ClientID
	Pieces     []Piece // what it consists of; of [Text.TracedSpans] only
}

// An Op is one step of a delta. [Text.Delta] returns inserts only: spans without
// regard to authors. [Text.ApplyDelta] takes an insert, or a number of elements
// to retain or to delete.
type Op struct {
	Insert     any
	Attributes map[string]any
	Retain     int
	Delete     int
}

// Len returns the length in UTF-16 code units; an embed counts 1.
func (t *Text) Len() int { return t.length() }

// String returns the text without formats and embeds.
func (t *Text) String() string {
	const short = 32 // which runs are, is as good as random: up to here all are copied alike
	var b strings.Builder
	var buf [1024]byte
	d, n := t.d, 0
	b.Grow(t.length())
	for i := d.lists[d.types[t.t].children].head; i != none; {
		x := &d.runs[i]
		i = x.r
		size := 0
		if x.bits&(isDeleted|infoRef) == refString {
			size = int(x.payLen)
		}
		if n > len(buf)-short || size > short && size > len(buf)-n {
			b.Write(buf[:n])
			n = 0
		}
		switch at := int(x.pay); {
		case size <= short && at <= len(d.pay)-short:
			*(*[short]byte)(buf[n : n+short]) = [short]byte(d.pay[at : at+short])
		case size <= len(buf):
			copy(buf[n:], d.pay[at:at+size])
		default:
			b.Write(d.pay[at : at+size])
			continue
		}
		n += size
	}
	b.Write(buf[:n])
	return b.String()
}

// Delta returns the content as Y.Text.toDelta does.
func (t *Text) Delta() []Op {
	var out []Op
	for _, s := range t.spans(spanWriter{}) {
		out = append(out, Op{Insert: s.Insert, Attributes: s.Attributes})
	}
	return out
}

// Spans returns the content cut where formats or authors change.
func (t *Text) Spans() []Span { return t.spans(spanWriter{byAuthor: true}) }

func (t *Text) spans(w spanWriter) []Span {
	d := t.d
	w.d = d
	for i := d.lists[d.types[t.t].children].head; i != none; i = d.runs[i].r {
		if !d.runs[i].deleted() {
			w.run(i)
		}
	}
	w.flush()
	return w.out
}

// spanWriter joins runs into spans.
type spanWriter struct {
	d        *Doc
	out      []Span
	text     []byte
	author   ClientID
	byAuthor bool
	traced   bool
	pieces   []Piece // of text
	formats  map[string]any
}

func (w *spanWriter) run(i int32) {
	x := &w.d.runs[i]
	author := w.d.ids[x.cl()]
	switch x.ref() {
	case refString:
		w.string(x, author)
	case refFormat, refFormatAny:
		w.flush()
		w.format(x)
	case refType, refEmbed, refEmbedAny: // anything else Y.Text does not show
		w.flush()
		w.d.values(i, func(v any) {
			w.out = append(w.out, Span{v, w.attributes(), author, w.alone(ID{author, uint64(x.clk)})})
		})
	}
}

func (w *spanWriter) string(x *run, author ClientID) {
	content, id := w.d.content(x), ID{author, uint64(x.clk)}
	if !w.byAuthor || len(w.d.credits[author]) == 0 {
		w.add(content, Piece{id, id, uint64(x.n)})
		return
	}
	n := x.n
	for of, size := range w.d.creditsOf(id, uint64(x.n)) {
		w.add(prefix(refString, content, n, uint32(size)), Piece{id, of, size})
		content, n = suffix(refString, content, n, uint32(size)), n-uint32(size)
		id.Clock += size
	}
}

func (w *spanWriter) add(text []byte, p Piece) {
	if w.byAuthor && p.Of.Client != w.author {
		w.flush()
	}
	w.author = p.Of.Client
	w.text = append(w.text, text...)
	if w.traced {
		w.pieces = AppendPiece(w.pieces, p)
	}
}

// alone returns the piece that an embed is.
func (w *spanWriter) alone(id ID) []Piece {
	if !w.traced {
		return nil
	}
	return []Piece{{id, id, 1}}
}

// format turns a format on, or off if its value is null.
func (w *spanWriter) format(x *run) {
	m := readFormat(ID{}, w.d.content(x), x.ref())
	if m.Value == nil {
		delete(w.formats, m.Key)
		return
	}
	if w.formats == nil {
		w.formats = make(map[string]any)
	}
	w.formats[m.Key] = m.Value
}

func (w *spanWriter) flush() {
	if len(w.text) > 0 {
		w.out = append(w.out, Span{string(w.text), w.attributes(), w.author, w.pieces})
		w.text, w.pieces = w.text[:0], nil
	}
}

func (w *spanWriter) attributes() map[string]any {
	if len(w.formats) == 0 {
		return nil
	}
	m := make(map[string]any, len(w.formats))
	for k, v := range w.formats {
		m[k] = v
	}
	return m
}
