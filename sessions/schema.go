package sessions

import (
	"context"
	"errors"
	"slices"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/prose"
)

// ErrUndeclared means that an update brings what its author's editor is not known to have. The note would be closed to
// every editor that lacks it, so that only an editor whose schema has it may bring it.
var ErrUndeclared = errors.New("an element, attribute or mark that the schema of its editor lacks")

// editorOf returns the schema that an editor has which declared one: who declares none is taken to have Tiptap's StarterKit.
func editorOf(declared *prose.Schema) *prose.Schema {
	if declared == nil {
		return prose.StarterKit()
	}
	return declared
}

// vocabulary is what the parts of a note are called, and were since its session began. An editor deletes what it has
// no word for, from the shared note, just by opening it: only one whose schema has all of it may have the note.
type vocabulary struct {
	names   []crdt.Name
	outgrew map[*prose.Schema]bool // whether a schema lacks some; asked for so far
}

func (v *vocabulary) exceeds(schema *prose.Schema) bool {
	beyond, known := v.outgrew[schema]
	if !known {
		beyond = !schema.Has(v.names...)
		if v.outgrew == nil {
			v.outgrew = make(map[*prose.Schema]bool)
		}
		v.outgrew[schema] = beyond
	}
	return beyond
}

// add returns those of names that are new.
func (v *vocabulary) add(names []crdt.Name) []crdt.Name {
	before := len(v.names)
	for _, n := range names {
		if !v.has(n) {
			v.names = append(v.names, n)
		}
	}
	if len(v.names) == before {
		return nil
	}
	v.outgrew = nil
	return slices.Clone(v.names[before:])
}

func (v *vocabulary) has(name crdt.Name) bool {
	for _, n := range v.names {
		if n == name {
			return true
		}
	}
	return false
}

// declared refuses an update with parts that its author's editor cannot have made.
func (s *Session) declared(f *frame) error {
	f.names = s.document().NamesIn(f.update)
	if !f.editor.Has(f.names...) {
		return ErrUndeclared
	}
	return nil
}

// learn makes names part of what the note is made of. Editors that lack one are kept from what comes now.
func (s *Session) learn(names []crdt.Name) {
	fresh := s.words.add(names)
	if len(fresh) == 0 {
		return
	}
	for _, p := range s.peers {
		if s.words.exceeds(editorOf(p.schema)) && !p.outdated.Load() {
			p.outdate()
		}
	}
	s.publish()
	s.hub.running.Go(func() {
		ctx, cancel := context.WithTimeout(s.hub.ctx, recordTimeout)
		defer cancel()
		if err := s.hub.store.Learned(ctx, s.note, fresh); err != nil && s.hub.ctx.Err() == nil {
			s.log.Error("what the note has now is not on record", "err", err)
		}
	})
}

// outdate keeps a peer from writing a note that its editor cannot hold. One that said what it can hold is an editor
// that its person sees: it must not even get the note, and is told to reload. Others go on reading. What it has sent
// until now it wrote without having seen what it lacks: that is still taken.
func (p *Peer) outdate() {
	p.outdated.Store(true)
	if p.schema != nil {
		p.end(refusal(ErrStaleEditor))
		return
	}
	if message := p.wire.scope(true); message != nil {
		p.socket.out.force(message)
	}
}

// mayWrite reports whether a peer may write its note now.
func (p *Peer) mayWrite() bool { return !p.readOnly.Load() && !p.outdated.Load() }
