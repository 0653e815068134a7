package prose

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
)

// suggestions are the marks of wording that somebody suggests, with what a reader is told. The text is in the note
// until somebody decides.
var suggestions = map[string]string{"insertion": "suggested insertion", "deletion": "suggested deletion"}

// Suggests reports whether a mark says that wording is suggested, and not decided on.
func Suggests(m Mark) bool { return suggestions[m.Type] != "" }

// SuggestionOf returns what is suggested of the first of some inline nodes, and it with those behind it that are of the same suggestion,
// without that mark. It says nothing if the first is of none.
func SuggestionOf(ns []Node) (m Mark, says string, of []Node) {
	if len(ns) == 0 || len(ns[0].Marks) == 0 || suggestions[ns[0].Marks[0].Type] == "" {
		return Mark{}, "", nil
	}
	m = ns[0].Marks[0]
	for _, n := range ns {
		if len(n.Marks) == 0 || !sameMarks([]Mark{m}, n.Marks[:1]) {
			break
		}
		n.Marks = n.Marks[1:]
		of = append(of, n)
	}
	return m, suggestions[m.Type], of
}

// formatKey returns what a mark is called as a format of a text: its name, and a hash if several of its kind may overlap.
//
// Source: @tiptap/y-tiptap 3.0.9, utils.js (hashOfJSON); lib0 0.2, encoding.js (writeAny).
func formatKey(m Mark) (string, error) {
	k := schema.marks[m.Type]
	if k == nil || k.Excludes == nil || *k.Excludes != "" {
		return m.Type, nil
	}
	str := func(b []byte, s string) []byte { return append(binary.AppendUvarint(b, uint64(len(s))), s...) }
	b := []byte{118, 2} // an object of two
	b = str(append(str(b, "type"), 119), m.Type)
	b = append(str(b, "attrs"), 118)
	names, values := fill(k, m.Attrs)
	b = binary.AppendUvarint(b, uint64(len(names)))
	for i, name := range names {
		b = str(b, name)
		switch v := values[i].(type) {
		case nil:
			b = append(b, 126)
		case string:
			b = str(append(b, 119), v)
		default:
			return "", fmt.Errorf("a mark %q has %q as %T", m.Type, name, v)
		}
	}
	sum := sha256.Sum256(b)
	const folded = 6
	for i := folded; i < len(sum); i++ {
		sum[i%folded] ^= sum[i]
	}
	return m.Type + "--" + base64.StdEncoding.EncodeToString(sum[:folded]), nil
}
