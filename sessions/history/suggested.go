package history

import (
	"bytes"
	"strings"
	"time"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/sessions"
)

// Suggester is somebody who marked text as suggested, and when they did so first.
type Suggester struct {
	Person sessions.PersonID // none: nobody knows who
	Seq    uint64
	At     time.Time
}

// suggested is the first row in which a client marked text with a suggestion.
type suggested struct {
	client crdt.ClientID
	row    int32
}

// suggest takes down which suggestions the row with an index brings. Whoever splits a paragraph, or puts back what was deleted, brings its
// marks again: a suggestion is of whoever brought it first. The caller holds mu.
func (p *Past) suggest(i int, u *crdt.Update) {
	if b := p.update(i); !bytes.Contains(b, []byte("insertion")) && !bytes.Contains(b, []byte("deletion")) {
		return
	}
	u.Formats(func(m crdt.FormatMark) {
		name, _, _ := strings.Cut(m.Key, "--")
		attrs, _ := m.Value.(map[string]any)
		id, _ := attrs["id"].(string)
		if id == "" || !prose.Suggests(prose.Mark{Type: name}) {
			return
		}
		for _, s := range p.suggested[id] {
			if s.client == m.ID.Client {
				return
			}
		}
		p.suggested[id] = append(p.suggested[id], suggested{m.ID.Client, int32(i)})
	})
}

// Suggesters returns who marked text with the suggestion of an id, whoever did so first as the first.
func (p *Past) Suggesters(id string) (all []Suggester) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	for _, s := range p.suggested[id] {
		m := p.moment(int(s.row))
		all = append(all, Suggester{p.writers[s.client], m.Seq, m.At})
	}
	return all
}
