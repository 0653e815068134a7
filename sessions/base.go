package sessions

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/prose"
)

// base is a merged update of a note's first rows, with what it must decode to.
type base struct {
	seq       uint64
	update    []byte
	sv        []byte
	deletes   crdt.DeleteSet
	rendering []byte
}

// maybeBase makes a base if the log has grown by at least rows since the last one. It is verified and stored
// beside the session, which goes on.
func (s *Session) maybeBase(rows uint64) {
	if s.basing || s.head < s.baseSeq+rows {
		return
	}
	b, err := s.makeBase()
	if err != nil {
		s.log.Error("base not made", "seq", s.head, "err", err)
		s.baseSeq = s.head // try again when the log has grown once more
		return
	}
	s.basing = true
	s.hub.running.Go(func() {
		err := s.storeBase(b)
		_ = s.do(context.Background(), func() { // an ended session does not care
			s.basing = false
			s.baseSeq = b.seq
			if err != nil {
				s.log.Error("base not stored", "seq", b.seq, "err", err)
			}
		})
	})
}

func (s *Session) makeBase() (base, error) {
	update, err := s.snapshot()
	if err != nil {
		return base{}, err
	}
	rendering, err := render(s.document())
	if err != nil {
		return base{}, err
	}
	return base{
		seq: s.head, update: update, sv: s.stateVector(), deletes: s.document().DeleteSet(), rendering: rendering,
	}, nil
}

func (s *Session) storeBase(b base) error {
	if err := b.verify(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), recordTimeout)
	defer cancel()
	return s.hub.store.SaveBase(ctx, s.note, b.seq, b.update)
}

// verify decodes the base again and compares it with the document it was made from (I4).
func (b base) verify() error {
	doc := crdt.New("")
	if err := doc.ApplyUpdate(b.update); err != nil {
		return fmt.Errorf("decode base: %w", err)
	}
	rendering, err := render(doc)
	switch {
	case err != nil:
		return err
	case doc.HasPending():
		return errors.New("base has a hole")
	case !bytes.Equal(doc.EncodeStateVector(), b.sv):
		return errors.New("base has another state vector")
	case !slices.Equal(doc.DeleteSet(), b.deletes):
		return errors.New("base has another delete set")
	case !bytes.Equal(rendering, b.rendering):
		return errors.New("base reads differently")
	}
	return nil
}

// Fragment is the shared type that holds a note's content, under the name that Tiptap gives it.
const Fragment = "default"

func render(doc *crdt.Doc) ([]byte, error) {
	rendering, err := prose.JSON(prose.Read(doc.XMLFragment(Fragment)))
	if err != nil {
		return nil, fmt.Errorf("render note: %w", err)
	}
	return rendering, nil
}
