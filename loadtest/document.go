package loadtest

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/clisonix/tidechart/crdt"
)

// fragment is the name of the root that editors bind to.
const fragment = "default"

// A state is what a replica amounts to, in a form that can be compared.
type state struct {
	vector  crdt.StateVector
	deletes []byte
	content [sha256.Size]byte
	waiting bool                       // it holds structs whose dependencies never came
	streams map[crdt.ClientID][]string // each paragraph that a typist made
}

// stateOf builds the document that updates make. isTypist tells whose paragraphs to read.
func stateOf(updates [][]byte, isTypist func(crdt.ClientID) bool) (*state, error) {
	merged, err := crdt.MergeUpdates(updates)
	if err != nil {
		return nil, fmt.Errorf("merge %d updates: %w", len(updates), err)
	}
	doc := crdt.New("")
	if err := doc.ApplyUpdate(merged); err != nil {
		return nil, fmt.Errorf("apply %d updates: %w", len(updates), err)
	}
	root := doc.XMLFragment(fragment)
	s := &state{
		vector: doc.StateVector(), deletes: doc.DeleteSet().Encode(), waiting: doc.HasPending(),
		content: sha256.Sum256([]byte(root.String())),
		streams: make(map[crdt.ClientID][]string),
	}
	for _, child := range root.Children() {
		if paragraph, is := child.Value.(*crdt.XMLElement); is && isTypist(child.Author) {
			s.streams[child.Author] = append(s.streams[child.Author], textOf(paragraph))
		}
	}
	return s, nil
}

// textOf joins the texts in a paragraph.
func textOf(paragraph *crdt.XMLElement) string {
	var text string
	for _, child := range paragraph.Children() {
		if t, is := child.Value.(*crdt.XMLText); is {
			text += t.String()
		}
	}
	return text
}

// differs says in which way two states are not the same document, "" if they are.
func (s *state) differs(from *state) string {
	switch {
	case s.waiting:
		return "waits for characters that never came"
	case !slices.Equal(s.vector.Encode(), from.vector.Encode()):
		return "has another state vector"
	case !bytes.Equal(s.deletes, from.deletes):
		return "has other deletions"
	case s.content != from.content:
		return "has other content"
	}
	return ""
}

// misprint says what is wrong with a typist's stream after n keystrokes, "" if nothing is.
func (s *state) misprint(typist crdt.ClientID, n int) string {
	paragraphs := s.streams[typist]
	if n == 0 && len(paragraphs) == 0 {
		return ""
	}
	if len(paragraphs) != 1 {
		return fmt.Sprintf("paragraph there %d times", len(paragraphs))
	}
	want := typed(n)
	v, at := judge(paragraphs[0], want)
	if v == complete {
		return ""
	}
	return fmt.Sprintf("%s: %d of %d, first at %d", v, len(paragraphs[0]), len(want), at)
}
