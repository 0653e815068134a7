package server

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/words"
)

// This file is ".phrases": what people and units write often. The page says which there are; the editor asks by the API.

const phrasesPath = "/phrases"

// maxPhraseForm bounds the form of one, in bytes: its text in UTF-8, percent-encoded.
const maxPhraseForm = 64 << 10

func (s *Server) mountPhrases(mux *http.ServeMux) {
	mux.Handle("GET "+phrasesPath, s.allowedAnywhere(access.UsePhrases, s.phrasesPage))
	mux.Handle("POST "+phrasesPath, s.allowedAnywhere(access.UsePhrases, s.addPhrase))
	mux.Handle("POST "+phrasesPath+"/{id}", s.allowedAnywhere(access.UsePhrases, s.editPhrase))
	mux.Handle("POST "+phrasesPath+"/{id}/remove", s.allowedAnywhere(access.UsePhrases, s.removePhrase))
}

func (s *Server) phrasesPage(w http.ResponseWriter, r *http.Request, who login.Person) error {
	return s.showPhrases(w, r, who, http.StatusOK, web.PhrasesView{})
}

// showPhrases lists somebody's own phrases, and those of each unit where they work; view has what they typed that was wrong.
func (s *Server) showPhrases(w http.ResponseWriter, r *http.Request, who login.Person, status int, view web.PhrasesView) error {
	all, err := s.db.Phrases(r.Context(), who.ID)
	if err != nil {
		return err
	}
	units, err := s.db.UnitsFor(r.Context(), who.ID)
	if err != nil {
		return err
	}
	view.Shell = s.shellOf(r, who, words.Say(r.Context(), "Phrases"), web.SectionPhrases)
	view.Shelves = []web.PhraseShelf{{MaySet: true}}
	for _, u := range units {
		if access.Decide(asker(who), access.UsePhrases, onUnit(u.Works)).Allow {
			may := access.Decide(asker(who), access.SetPhrases, onUnit(u.Works)).Allow
			view.Shelves = append(view.Shelves, web.PhraseShelf{Unit: u.Unit.ID, UnitName: u.Unit.Name, MaySet: may})
		}
	}
	for _, p := range all {
		for i := range view.Shelves {
			if view.Shelves[i].Unit == p.Unit {
				view.Shelves[i].Phrases = append(view.Shelves[i].Phrases, web.PhraseView{
					ID: p.ID.String(), Name: p.Name, Text: p.Text, ByName: p.ByName, At: p.At.Local(), Unreadable: p.Text == store.Unreadable,
				})
			}
		}
	}
	s.render(w, r, status, web.Phrases(view))
	return nil
}

// addPhrase makes one of a person's own, or of a unit's.
func (s *Server) addPhrase(w http.ResponseWriter, r *http.Request, who login.Person) error {
	return s.putPhrase(w, r, who, func() (store.Phrase, error) { return store.Phrase{Unit: r.PostFormValue("unit")}, nil })
}

// editPhrase gives one another name and text.
func (s *Server) editPhrase(w http.ResponseWriter, r *http.Request, who login.Person) error {
	return s.putPhrase(w, r, who, func() (store.Phrase, error) { return s.phraseNamed(r, who) })
}

func (s *Server) phraseNamed(r *http.Request, who login.Person) (store.Phrase, error) {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return store.Phrase{}, store.ErrNotFound
	}
	return s.db.Phrase(r.Context(), who.ID, id)
}

func (s *Server) putPhrase(w http.ResponseWriter, r *http.Request, who login.Person, which func() (store.Phrase, error)) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxPhraseForm)
	if err := r.ParseForm(); err != nil {
		return err
	}
	p, err := which()
	if err != nil {
		return err
	}
	if err := s.maySetPhrase(r.Context(), who, p); err != nil {
		return err
	}
	view := web.PhrasesView{ID: r.PathValue("id"), Unit: p.Unit, Name: clip(r.PostFormValue("name"), web.MaxPhraseName), Text: clip(r.PostFormValue("text"), web.MaxPhraseText)}
	p.By = who.ID
	if p.Name, p.Text, err = phraseOf(r.PostFormValue("name"), r.PostFormValue("text")); err == nil {
		_, err = s.db.PutPhrase(r.Context(), p)
	}
	var bad mistake
	switch {
	case err == nil:
		http.Redirect(w, r, phrasesPath, http.StatusSeeOther)
		return nil
	case errors.As(err, &bad):
		view.Error = bad.says(r.Context())
	case errors.Is(err, store.ErrPhraseName):
		view.Error = words.Say(r.Context(), "There is a phrase of that name already. Choose another name, or change that one.")
	case errors.Is(err, store.ErrManyPhrases):
		view.Error = words.Say(r.Context(), "There are as many phrases as there may be: {maxPhrases}. Remove one first.", strconv.Itoa(store.MaxPhrases))
	default:
		return err
	}
	return s.showPhrases(w, r, who, http.StatusUnprocessableEntity, view)
}

func (s *Server) removePhrase(w http.ResponseWriter, r *http.Request, who login.Person) error {
	p, err := s.phraseNamed(r, who)
	if err != nil {
		return err
	}
	if err := s.maySetPhrase(r.Context(), who, p); err != nil {
		return err
	}
	if err := s.db.RemovePhrase(r.Context(), p); err != nil {
		return err
	}
	http.Redirect(w, r, phrasesPath, http.StatusSeeOther)
	return nil
}

// maySetPhrase refuses who may not say what a unit's phrases are. One's own are one's own.
func (s *Server) maySetPhrase(ctx context.Context, who login.Person, p store.Phrase) error {
	if p.Unit == "" {
		return nil
	}
	unit, err := s.db.UnitFor(ctx, who.ID, p.Unit)
	if err != nil {
		return err
	}
	return s.decide(ctx, who, access.SetPhrases, onUnit(unit.Works), onto{about: p.ID})
}

var phraseName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,` + strconv.Itoa(web.MaxPhraseName-1) + `}$`)

// phraseOf is a phrase as it is kept: its name without the dot, its text in lines without spaces at their ends.
func phraseOf(name, text string) (string, string, error) {
	name = strings.ToLower(strings.TrimPrefix(strings.TrimSpace(name), "."))
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimRightFunc(lines[i], unicode.IsSpace)
	}
	text = strings.Trim(strings.Join(lines, "\n"), "\n")
	switch {
	case !phraseName.MatchString(name):
		return "", "", badRequest("A name begins with a letter, and has letters from a to z, digits and dashes, {maxPhraseName} at most.", strconv.Itoa(web.MaxPhraseName))
	case strings.TrimSpace(text) == "":
		return "", "", badRequest("Say what the phrase is to put in.")
	case utf8.RuneCountInString(text) > web.MaxPhraseText:
		return "", "", badRequest("A phrase has up to {maxPhraseText} characters.", strconv.Itoa(web.MaxPhraseText))
	case !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && r != '\t' && unicode.IsControl(r) }):
		return "", "", badRequest("The text has characters that cannot be shown.")
	}
	return name, text, nil
}

// mountPhrasesAPI adds what the editor asks.
func (s *Server) mountPhrasesAPI(api huma.API) {
	list := operation("list-phrases", http.MethodGet, "/phrases", "List your phrases, and your units'")
	list.Tags = []string{"Phrases"}
	huma.Register(api, list, s.apiListPhrases)
	read := operation("read-phrase", http.MethodGet, "/phrases/{id}", "Read a phrase")
	read.Tags = []string{"Phrases"}
	huma.Register(api, read, s.apiReadPhrase)
}

type apiPhrase struct {
	ID   uuid.UUID `json:"id" format:"uuid"`
	Name string    `json:"name" doc:"Without the dot" example:"chest"`
	Unit string    `json:"unit,omitempty" doc:"What the unit is called whose it is; without it, it is your own"`
}

type listPhrasesOutput struct {
	Body struct {
		Phrases []apiPhrase `json:"phrases" nullable:"false" doc:"Your own first"`
	}
}

func (s *Server) apiListPhrases(ctx context.Context, _ *struct{}) (*listPhrasesOutput, error) {
	who := apiKnown(ctx)
	if !access.May(who.Role, access.UsePhrases) {
		return nil, apiError(ctx, s.decide(ctx, who, access.UsePhrases, access.Note{}, onto{}))
	}
	all, err := s.db.PhrasesFor(ctx, uuid.NullUUID{UUID: who.ID, Valid: true})
	if err != nil {
		return nil, apiError(ctx, err)
	}
	var out listPhrasesOutput
	out.Body.Phrases = make([]apiPhrase, len(all))
	for i, p := range all {
		out.Body.Phrases[i] = apiPhrase{p.Phrase.ID, p.Phrase.Name, p.UnitName}
	}
	return &out, nil
}

type readPhraseInput struct {
	ID uuid.UUID `path:"id" format:"uuid"`
}

type readPhraseOutput struct {
	Body struct {
		apiPhrase
		Text string `json:"text" doc:"Lines; one that begins with a dash and a space is an item of a list, *** is to be filled in"`
	}
}

func (s *Server) apiReadPhrase(ctx context.Context, in *readPhraseInput) (*readPhraseOutput, error) {
	who := apiKnown(ctx)
	if !access.May(who.Role, access.UsePhrases) {
		return nil, apiError(ctx, s.decide(ctx, who, access.UsePhrases, access.Note{}, onto{about: in.ID}))
	}
	p, err := s.db.Phrase(ctx, who.ID, in.ID)
	if err != nil {
		return nil, apiError(ctx, err)
	}
	var out readPhraseOutput
	out.Body.apiPhrase, out.Body.Text = apiPhrase{p.ID, p.Name, p.UnitName}, p.Text
	return &out, nil
}
