package crdt

import (
	"iter"
	"strings"
)

// Text returns the text that the update brings of a range, and nothing for
// elements that are no text. Cutting a surrogate pair makes U+FFFD of it.
func (u *Update) Text(g ClockRange) string {
	var s strings.Builder
	for _, text := range u.texts(g) {
		s.Write(text)
	}
	return s.String()
}

// texts yields the pieces of text that the update brings of a range.
func (u *Update) texts(g ClockRange) iter.Seq2[ID, []byte] {
	return func(yield func(ID, []byte) bool) {
		for _, s := range u.sections {
			if s.client != g.Client || uint64(s.end) <= g.From || uint64(s.clock) >= g.To {
				continue
			}
			u.blocks(s, func(b *block) bool {
				from, to := max(g.From, uint64(b.clock)), min(g.To, uint64(b.end()))
				if from >= to || b.ref != refString {
					return uint64(b.clock) < g.To
				}
				text := suffix(refString, b.content, b.n, uint32(from)-b.clock)
				text = prefix(refString, text, b.end()-uint32(from), uint32(to-from))
				return yield(ID{g.Client, from}, text)
			})
			return // a client has one section
		}
	}
}
