package server

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/sessions/history"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/words"
)

// Limits of the list of versions (I10).
const (
	maxVersionRows = 100  // on a page
	maxTurns       = 1000 // changes of a note's state
)

// versionsPage lists the versions of a note.
func (s *Server) versionsPage(w http.ResponseWriter, r *http.Request, who login.Person) error {
	return s.showVersions(w, r, who, http.StatusOK, web.VersionsView{})
}

func (s *Server) showVersions(w http.ResponseWriter, r *http.Request, who login.Person, status int, view web.VersionsView) error {
	ctx := r.Context()
	id, past, st, err := s.openPast(r, who)
	if err != nil {
		return err
	}
	about, err := s.aboutNote(ctx, id)
	if err != nil {
		return err
	}
	named, err := s.db.Versions(ctx, id)
	if err != nil {
		return err
	}
	turns, err := s.db.NoteTurns(ctx, id, maxTurns)
	if err != nil {
		return err
	}
	people, err := s.peopleOf(ctx, past)
	if err != nil {
		return err
	}
	look, err := s.lookOf(ctx, who, id)
	if err != nil {
		return err
	}
	view.Shell = s.shellOf(r, who, words.Say(r.Context(), "Versions: {tab}", about.tab), web.SectionWorklist)
	view.ID, view.Title, view.Patient, view.Head = id.String(), about.title, about.patient, past.Head()
	view.MayWrite = st.may(access.WriteNote).Allow
	view.MayName, view.Looked = view.MayWrite, look.from > 0
	rows := versionRows(r.Context(), past, named, turns, people, who.ID, view.MayName)
	if before, err := strconv.ParseUint(r.URL.Query().Get("before"), 10, 64); err == nil {
		rows = slices.DeleteFunc(rows, func(row web.VersionRow) bool { return row.Seq >= before })
	}
	if len(rows) > maxVersionRows {
		rows = rows[:maxVersionRows]
		view.Older = rows[len(rows)-1].Seq
	}
	view.Rows = rows
	s.render(w, r, status, web.Versions(view))
	return nil
}

// versionRows are all versions of a note, the newest first.
func versionRows(ctx context.Context, past *history.Past, named []store.Version, turns []queries.NoteTurnsRow, people map[uuid.UUID]web.Person, who uuid.UUID, mayName bool) []web.VersionRow {
	rows := make(map[uint64]*web.VersionRow)
	row := func(seq uint64) *web.VersionRow {
		seq = min(max(seq, 1), past.Head())
		if rows[seq] == nil {
			at := past.Moment(seq).At.Local()
			rows[seq] = &web.VersionRow{Seq: seq, At: at, What: words.Say(ctx, "As it was, {at}", words.Date(ctx, at, "02-Jan-2006 15:04"))}
		}
		return rows[seq]
	}
	for _, v := range past.Versions() {
		x := row(v.Last)
		x.Began, x.Edits = v.Began.Local(), int(v.Last-v.First)+1
		for _, p := range v.People {
			x.People = append(x.People, people[p])
		}
	}
	row(1).What = words.Say(ctx, "As it was begun")
	for _, t := range turns {
		if text := words.Say(ctx, turnText[t.State]); text != "" {
			row(uint64(t.Seq)).What = text + ", " + words.Date(ctx, t.At.Local(), "02-Jan-2006 15:04")
		}
	}
	row(past.Head()).What = words.Say(ctx, "As it is now")
	for _, v := range named {
		x := row(v.Seq)
		x.Names = append(x.Names, web.VersionName{ID: v.ID.String(), Name: v.Name, By: v.ByName, At: v.At.Local(), Mine: mayName && v.By == who})
	}
	list := make([]web.VersionRow, 0, len(rows))
	for _, x := range rows {
		list = append(list, *x)
	}
	slices.SortFunc(list, func(a, b web.VersionRow) int { return int(b.Seq) - int(a.Seq) })
	for i := range list[:len(list)-1] {
		list[i].Before = list[i+1].Seq
	}
	return list
}

// turnText says what a state was that a note came to; what it only passes through is none.
var turnText = map[string]words.Text{
	"draft": "A draft again", "review": "Sent for review", "signed": "Signed", "cosigned": "Cosigned", "amended": "Corrected", "added": "Added to",
	"retracted": "Entered in error",
}

// nameVersion gives a version of a note a name.
func (s *Server) nameVersion(w http.ResponseWriter, r *http.Request, who login.Person) error {
	return s.changeVersion(w, r, who, func(ctx context.Context, note uuid.UUID, form url.Values, name string) error {
		seq, err := strconv.ParseUint(form.Get("seq"), 10, 53)
		if err != nil || seq == 0 {
			return badRequest("There is no such version.")
		}
		_, err = s.db.NameVersion(ctx, note, seq, who.ID, name)
		return err
	})
}

func (s *Server) renameVersion(w http.ResponseWriter, r *http.Request, who login.Person) error {
	return s.changeVersion(w, r, who, func(ctx context.Context, note uuid.UUID, _ url.Values, name string) error {
		version, err := uuid.Parse(r.PathValue("version"))
		if err != nil {
			return store.ErrNotFound
		}
		return s.db.RenameVersion(ctx, note, version, who.ID, name)
	})
}

func (s *Server) removeVersion(w http.ResponseWriter, r *http.Request, who login.Person) error {
	id, version, err := uuidsOf(r)
	if err != nil {
		return err
	}
	if _, err := s.mayDo(r.Context(), who, access.WriteNote, id, notAgain); err != nil {
		return err
	}
	if err := s.db.RemoveVersion(r.Context(), id, version, who.ID); err != nil {
		return err
	}
	http.Redirect(w, r, notePath(id)+"/versions", http.StatusSeeOther)
	return nil
}

func uuidsOf(r *http.Request) (note, version uuid.UUID, err error) {
	if note, err = uuid.Parse(r.PathValue("id")); err != nil {
		return note, version, sessions.ErrNoNote
	}
	if version, err = uuid.Parse(r.PathValue("version")); err != nil {
		return note, version, store.ErrNotFound
	}
	return note, version, nil
}

// changeVersion takes a name from a form, for somebody who may write the note; what is wrong with it is said above the list.
func (s *Server) changeVersion(w http.ResponseWriter, r *http.Request, who login.Person, change func(ctx context.Context, note uuid.UUID, form url.Values, name string) error) error {
	form, err := filterOf(w, r)
	if err != nil {
		return err
	}
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return sessions.ErrNoNote
	}
	if _, err := s.mayDo(r.Context(), who, access.WriteNote, id, notAgain); err != nil {
		return err
	}
	name, err := versionName(form.Get("name"))
	if err == nil {
		err = change(r.Context(), id, form, name)
	}
	var bad mistake
	says := ""
	switch {
	case err == nil:
		http.Redirect(w, r, notePath(id)+"/versions", http.StatusSeeOther)
		return nil
	case errors.As(err, &bad):
		says = bad.says(r.Context())
	case errors.Is(err, store.ErrNameTaken):
		says = words.Say(r.Context(), "Another version of this note has that name. Choose another one.")
	case errors.Is(err, store.ErrManyVersions):
		says = words.Say(r.Context(), "This note has as many named versions as it may have. Remove a name first.")
	default:
		return err
	}
	seq, _ := strconv.ParseUint(form.Get("seq"), 10, 53) // none: it is said above all of them
	return s.showVersions(w, r, who, http.StatusUnprocessableEntity, web.VersionsView{Error: says, Name: clip(form.Get("name"), web.MaxVersionName), Seq: seq})
}

// versionName is a name as it is kept, in one line.
func versionName(typed string) (string, error) {
	name := strings.Join(strings.Fields(typed), " ")
	switch {
	case name == "":
		return "", badRequest("Give the version a name.")
	case utf8.RuneCountInString(name) > web.MaxVersionName:
		return "", badRequest("A name has up to {maxVersionName} characters.", strconv.Itoa(web.MaxVersionName))
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return "", badRequest("The name has characters that cannot be shown.")
	}
	return name, nil
}
