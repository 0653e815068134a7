package server

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"github.com/a-h/templ"
	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/paper"
	"github.com/clisonix/tidechart/web/words"
)

// This file is how notes leave: on paper and as files. Each copy is on record, with a number that it bears, before anybody gets it.

// maxPDFs is how many PDFs are made at one time: one of the longest note takes a processor for a second.
const maxPDFs = 2

// format is one way in which a note leaves.
type format struct {
	path  string // behind the note's
	media string // "": it is a page
	act   access.Act
	name  words.Text
	says  words.Text
	write func(ctx context.Context, s *Server, who login.Person, id uuid.UUID, n paper.Note) ([]byte, error)
}

// bundlePath is that of what only a signed note has.
const bundlePath = "note.json"

// formats are all there are, in the order of the page.
var formats = []format{
	{"print", "", access.PrintNote, "Print", "A page for paper: on each sheet stand who the patient is, and whether the note is a draft or signed.", nil},
	{"note.pdf", "application/pdf", access.PrintNote, "PDF", "The same sheets as a file, to be printed or kept elsewhere.", pdfOf},
	{"note.html", "text/html; charset=utf-8", access.ExportNote, "HTML", "One file that any browser shows, with headings, lists and marks; it runs and fetches nothing.", htmlOf},
	{"note.md", "text/markdown; charset=utf-8", access.ExportNote, "Markdown", "Text with its structure, for another program.", func(ctx context.Context, _ *Server, _ login.Person, _ uuid.UUID, n paper.Note) ([]byte, error) {
		return []byte(n.Markdown(ctx)), nil
	}},
	{"note.txt", "text/plain; charset=utf-8", access.ExportNote, "Plain text", "Words alone, for what takes nothing else.", func(ctx context.Context, _ *Server, _ login.Person, _ uuid.UUID, n paper.Note) ([]byte, error) {
		return []byte(n.Text(ctx)), nil
	}},
	{bundlePath, "application/json", access.ExportNote, "Signed bundle", "A signed note with its signatures, who wrote what, and proofs, so that it can be checked anywhere.", bundleOf},
}

// mountExport adds the page that lists the formats, the print page, and the files.
func (s *Server) mountExport(mux *http.ServeMux) {
	mux.Handle("GET /notes/{id}/export", s.known(s.exportPage))
	for _, f := range formats {
		h := s.printPage
		if f.media != "" {
			h = s.file(f)
		}
		mux.Handle("GET /notes/{id}/"+f.path, s.known(h))
	}
}

// exportPage lists the formats, and which of them somebody's role allows.
func (s *Server) exportPage(w http.ResponseWriter, r *http.Request, who login.Person) error {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return sessions.ErrNoNote
	}
	if _, err := s.mayDo(r.Context(), who, access.ReadNote, id, byPage); err != nil {
		return err
	}
	about, err := s.noteHead(r, who, id)
	if err != nil {
		return err
	}
	view := web.ExportView{Shell: about.shell, Patient: about.patient, ID: id.String(), Title: about.row.Note.Title}
	for _, f := range formats {
		way := web.ExportWay{Path: f.path, Name: words.Say(r.Context(), f.name), Says: words.Say(r.Context(), f.says), File: f.media != ""}
		switch {
		case !access.May(who.Role, f.act):
			way.Refused = words.Say(r.Context(), "Your role does not allow this.")
		case f.path == bundlePath && !paper.Signed(about.row.Note.State):
			way.Refused = words.Say(r.Context(), "Nobody has signed this note yet.")
		}
		view.Ways = append(view.Ways, way)
	}
	s.render(w, r, http.StatusOK, web.Export(view))
	return nil
}

// printPage shows a note made ready for paper, and records that it was.
func (s *Server) printPage(w http.ResponseWriter, r *http.Request, who login.Person) error {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return sessions.ErrNoNote
	}
	var view web.PrintView
	err = s.copied(r.Context(), who, access.PrintNote, id, "print", func(number string) error {
		note, about, err := s.paperOf(r, who, id, number)
		view = web.PrintView{Shell: about.shell, ID: id.String(), Note: note}
		return err
	})
	if err != nil {
		return err
	}
	s.render(w, r, http.StatusOK, web.Print(view))
	return nil
}

// file hands a note out in one format. What goes to other programs is for who has just proven that it is them.
func (s *Server) file(f format) personal {
	return func(w http.ResponseWriter, r *http.Request, who login.Person) error {
		id, err := uuid.Parse(r.PathValue("id"))
		if err != nil {
			return sessions.ErrNoNote
		}
		if f.act == access.ExportNote && access.May(who.Role, f.act) {
			if err := justProven(who, notePath(id)+"/export"); err != nil {
				return err
			}
		}
		var body []byte
		var name string
		err = s.copied(r.Context(), who, f.act, id, f.path, func(number string) error {
			note, about, err := s.paperOf(r, who, id, number)
			if err == nil {
				name = about.fileName(f.path)
				body, err = f.write(r.Context(), s, who, id, note)
			}
			return err
		})
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", f.media)
		w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
		_, _ = w.Write(body) // the reader may be gone
		return nil
	}
}

// copyID is how many letters and digits the number of a copy has: nobody has the same as anybody else.
const copyID = 10

// copied has a copy of a note written for who may have it, and then puts it on record with its number, in one transaction with the list of who has
// opened the record and with the decision that they may: it is given out after that, if there is no error. A note that does not read as it was signed
// is not given, and that is what is on record.
func (s *Server) copied(ctx context.Context, who login.Person, act access.Act, note uuid.UUID, form string, write func(number string) error) error {
	number := rand.Text()[:copyID]
	e, how := audit.Event{Act: audit.PrintNote, Code: fmt.Sprintf("%s copy=%s", form, number)}, byPrint
	if act == access.ExportNote {
		e.Act, how = audit.ExportNote, byFile
	}
	st, err := s.standingOf(ctx, who, note)
	if err != nil {
		return err
	}
	made := false
	if st.State != stateDestroyed && st.may(act).Allow {
		if form == bundlePath && !paper.Signed(st.State) {
			return store.ErrUnsigned
		}
		if err := write(number); errors.Is(err, errNotAsSigned) {
			e.Outcome, e.Patient, e.Note, e.Code = audit.Failed, st.PatientID, note, form+" not as signed"
			return cmp.Or(s.db.Record(as(ctx, who), e), err)
		} else if err != nil {
			return err
		}
		made = true
	}
	if _, err = s.mayDoAs(ctx, who, act, note, how, e); err == nil && !made {
		err = store.ErrRights // they may as of this moment
	}
	return err
}

// noteHead is what pages about a note begin with.
type noteHead struct {
	row     store.NoteByIDRow
	patient web.Patient
	shell   web.Shell
}

func (s *Server) noteHead(r *http.Request, who login.Person, id uuid.UUID) (noteHead, error) {
	about, err := s.aboutNote(r.Context(), id)
	if err != nil {
		return noteHead{}, err
	}
	return noteHead{about.row, about.patient, s.shellOf(r, who, about.tab, web.SectionWorklist)}, nil
}

// fileName names a file by the kind of note, the day it was begun and the beginning of its id: nobody learns from a folder whose it is.
func (h noteHead) fileName(path string) string {
	return fmt.Sprintf("%s-%s-%s%s", h.row.Note.Kind, h.row.Note.CreatedAt.Local().Format("2006-01-02"), h.row.Note.ID.String()[:8], path[strings.LastIndexByte(path, '.'):])
}

// paperOf is a copy of a note as it is now.
func (s *Server) paperOf(r *http.Request, who login.Person, id uuid.UUID, copied string) (paper.Note, noteHead, error) {
	ctx := r.Context()
	about, err := s.noteHead(r, who, id)
	if err != nil {
		return paper.Note{}, about, err
	}
	body, whose, err := s.bodyOf(ctx, id, about.row.Note.State)
	if err != nil {
		return paper.Note{}, about, err
	}
	row := about.row
	n := web.PaperOf(r.Context(), about.patient, about.shell)
	n.Kind, n.Title, n.LOINC, n.State = web.Named(ctx, kindName(row.Note.Kind)), web.Titled(ctx, row.Note.Title), loincOf(row.Note.Kind), row.Note.State
	n.Begun = paper.Event{By: row.Creator, At: row.Note.CreatedAt.Local()}
	n.Saved = paper.Event{At: row.Note.EditedAt.Local()}
	n.Body = body
	carried, err := s.carriedIn(ctx, id)
	if err != nil {
		return paper.Note{}, about, err
	}
	if carried != nil {
		for _, c := range carried.from {
			n.Carried = append(n.Carried, c.Says(r.Context()))
		}
	}
	n.Copy = paper.Copy{ID: copied, By: who.Name, Role: web.Named(ctx, string(who.Role)), At: about.shell.Now.Local()}
	if n.Contributors, err = s.contributors(ctx, n.Body, whose); err == nil {
		err = s.withSignatures(ctx, who, id, &n)
	}
	return n, about, err
}

// bodyOf is what a note says, and whose each client id is: of a signed one what was signed, or it is an [errNotAsSigned].
func (s *Server) bodyOf(ctx context.Context, id uuid.UUID, state string) (prose.Node, func(crdt.ClientID) uuid.UUID, error) {
	if store.IsSigned(state) {
		r, err := s.asSigned(ctx, id)
		return r.Doc, r.Whose, err
	}
	c, err := s.db.Pasts.Committed(ctx, s.db, id)
	if err != nil {
		return prose.Node{}, nil, err
	}
	return prose.Read(c.Doc.XMLFragment(sessions.Fragment)), c.Whose, nil
}

// contributors are whose words a note has, whose are most first.
func (s *Server) contributors(ctx context.Context, body prose.Node, whose func(crdt.ClientID) uuid.UUID) ([]paper.Contributor, error) {
	words := make(wordCount)
	words.add(body, whose)
	ids := make([]uuid.UUID, 0, len(words))
	for id := range words {
		ids = append(ids, id)
	}
	rows, err := s.db.PeopleByID(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("look up people: %w", err)
	}
	var list []paper.Contributor
	for _, row := range rows {
		list = append(list, paper.Contributor{Name: row.Name, Role: web.Named(ctx, row.Role), Words: words[row.ID]})
	}
	slices.SortFunc(list, func(a, b paper.Contributor) int {
		if a.Words != b.Words {
			return b.Words - a.Words
		}
		return strings.Compare(a.Name, b.Name)
	})
	return list, nil
}

// pdfOf makes one, when not too many others are made.
func pdfOf(ctx context.Context, s *Server, _ login.Person, _ uuid.UUID, n paper.Note) ([]byte, error) {
	select {
	case s.pdfs <- struct{}{}:
		defer func() { <-s.pdfs }()
		return n.PDF(ctx)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func htmlOf(ctx context.Context, _ *Server, _ login.Person, _ uuid.UUID, n paper.Note) ([]byte, error) {
	var b bytes.Buffer
	err := web.PaperFile(n).Render(templ.ClearChildren(ctx), &b)
	return b.Bytes(), err
}

// wordCount is how many words are whose: a word is of whoever wrote its first letter.
type wordCount map[uuid.UUID]int

func (c wordCount) add(n prose.Node, writer func(crdt.ClientID) uuid.UUID) {
	within := false
	for _, child := range n.Content {
		if child.Type != "text" {
			within = false
			c.add(child, writer)
			continue
		}
		for _, letter := range child.Text {
			if begins := !unicode.IsSpace(letter); begins != within {
				if within = begins; begins {
					c[writer(child.Author)]++
				}
			}
		}
	}
}
