package server

import (
	"bytes"
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/notekind"
	"github.com/clisonix/tidechart/server/signature"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/web/paper"
	"github.com/clisonix/tidechart/web/words"
)

// meanings and relations are as copies have them.
var (
	meanings  = map[signature.Meaning]words.Text{signature.Author: "Signed as author", signature.Cosign: "Cosigned", signature.Witness: "Signed as witness", signature.Receiver: "Read back by the receiver"}
	relations = map[signature.Relation]words.Text{
		signature.Addendum: "Addendum", signature.Correction: "Correction", signature.LateEntry: "Late entry", signature.Retraction: "Retraction",
	}
)

// withSignatures adds to a copy who signed the note, what it is about if it is about another, and the notes about it, as far as who takes the
// copy may print them.
func (s *Server) withSignatures(ctx context.Context, who login.Person, id uuid.UUID, n *paper.Note) (err error) {
	if n.Signatures, err = s.signaturesOf(ctx, id); err != nil {
		return err
	}
	if n.Signed() {
		if n.Done, err = s.doneSince(ctx, id); err != nil {
			return err
		}
	}
	about, err := s.db.AboutWhat(ctx, id)
	switch {
	case err == nil:
		n.About = words.Say(ctx, "{relations} to note {value}", words.Say(ctx, relations[about.Relation]), about.Parent.String()[:8])
		n.Reason = about.Reason
	case !errors.Is(err, store.ErrNotFound):
		return err
	}
	all, err := s.db.AllAbout(ctx, id)
	if err != nil {
		return err
	}
	for _, a := range all {
		one := paper.Addendum{Kind: words.Say(ctx, relations[a.Relation]), State: a.State, Begun: paper.Event{By: a.Creator, At: a.At.Local()}, Reason: a.Reason}
		st, err := s.standingOf(ctx, who, a.Note)
		if err != nil {
			return err
		}
		switch {
		case !st.may(access.PrintNote).Allow:
			one.Reason, one.Body = "", sentence(words.Say(ctx, "Who took this copy may not read it."))
		case !store.IsSigned(st.State): // on a sheet whose head says SIGNED stands nothing that nobody has signed
			one.Body = sentence(words.Say(ctx, "Nobody has signed this yet. What it says so far is not part of this copy."))
		default:
			if one.Body, one.Signatures, err = s.addendum(ctx, a.Note); err == nil {
				one.Done, err = s.doneSince(ctx, a.Note)
			}
			if err != nil {
				return err
			}
		}
		n.Addenda = append(n.Addenda, one)
	}
	return nil
}

// addendum is what a signed note about another says, and who signed it.
func (s *Server) addendum(ctx context.Context, id uuid.UUID) (prose.Node, []paper.Signature, error) {
	r, err := s.asSigned(ctx, id)
	if err != nil {
		return prose.Node{}, nil, err
	}
	signatures, err := s.signaturesOf(ctx, id)
	return r.Doc, signatures, err
}

// errNotAsSigned means that a signed note does not read as it was signed: no copy of it leaves.
var errNotAsSigned = errors.New("a signed note does not read as it was signed")

// asSigned renders a signed note from its log, if that is what was signed.
func (s *Server) asSigned(ctx context.Context, id uuid.UUID) (store.Rendering, error) {
	r, err := s.db.Render(ctx, id)
	if err != nil {
		return r, err
	}
	signatures, err := s.db.Signatures(ctx, id)
	if err == nil && (len(signatures) == 0 || signatures[0].Hashes != r.Hashes()) {
		s.log.Error("a signed note does not read as it was signed", "note", id)
		err = errNotAsSigned
	}
	return r, err
}

// sentence is a note of one sentence of ours.
func sentence(text string) prose.Node {
	return prose.Node{Type: "doc", Content: []prose.Node{notekind.Paragraph(text)}}
}

func (s *Server) signaturesOf(ctx context.Context, id uuid.UUID) (list []paper.Signature, err error) {
	signatures, err := s.db.Signatures(ctx, id)
	for _, one := range signatures {
		list = append(list, paper.Signature{Name: one.Name, Meaning: words.Say(ctx, meanings[one.Meaning]), At: one.At.Local(), Said: one.Said})
	}
	return list, err
}

// bundleOf is a signed note with all that it takes to check it away from here, and the notes about it that who takes it may take.
func bundleOf(ctx context.Context, s *Server, who login.Person, id uuid.UUID, _ paper.Note) ([]byte, error) {
	b, err := s.db.NoteBundle(ctx, id, func(about uuid.UUID) (bool, error) {
		st, err := s.standingOf(ctx, who, about)
		return st.may(access.ExportNote).Allow, err
	})
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	err = b.Write(&text)
	return text.Bytes(), err
}
