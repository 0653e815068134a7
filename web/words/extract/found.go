package main

import (
	"cmp"
	"maps"
	"slices"

	"github.com/clisonix/tidechart/web/words"
)

// said is a message; one is "" but for what is counted.
type said struct{ one, text string }

// uses is where a message is said.
type uses struct{ in, scripts map[string]bool }

// found is all that is said.
type found map[said]*uses

func (f found) add(one, text, in string) *uses {
	u := f[said{one, text}]
	if u == nil {
		u = &uses{map[string]bool{}, map[string]bool{}}
		f[said{one, text}] = u
	}
	u.in[in] = true
	return u
}

// messages are sorted, so that a catalogue differs by what is said alone.
func (f found) messages() []words.Message {
	all := make([]words.Message, 0, len(f))
	for s, u := range f {
		all = append(all, words.Message{
			Text: words.Text(s.text), One: words.Text(s.one),
			In: slices.Sorted(maps.Keys(u.in)), Scripts: slices.Sorted(maps.Keys(u.scripts)),
		})
	}
	slices.SortFunc(all, func(a, b words.Message) int { return cmp.Or(cmp.Compare(a.Text, b.Text), cmp.Compare(a.One, b.One)) })
	return all
}
