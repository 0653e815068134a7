package server_test

import (
	"context"
	"html"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/notekind"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/words"
	"github.com/clisonix/tidechart/web/words/wordstest"
)

// TestServerInAnotherLanguage: what handlers put on pages, into answers to scripts and into copies of notes is in the language of whoever
// reads, and so are roles, kinds of notes and titles, which are stored in English. What notes, people and units say is as it is.
func TestServerInAnotherLanguage(t *testing.T) {
	h := open(t).physicians()
	accents := wordstest.Accented(t)
	handler := h.Config.Handler
	h.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r.WithContext(words.In(r.Context(), accents)))
	})
	names, data := storedNames(t, words.In(t.Context(), accents)), hospitalsWords(t)
	data["Debian"] = true // where Postgres says that it was built

	note := "/notes/" + h.note.String()
	patient := "/patients/" + h.text(`SELECT patient_id::text FROM note WHERE id = $1`, h.note) + "/accesses"
	chen, haddad, novak, officer := h.signIn("chen"), h.signIn("haddad"), h.signIn("novak"), h.signIn("lindqvist")
	h.types("okafor", "Slept well.")
	h.sat(1, "chen")
	check := func(what, page string) {
		t.Helper()
		for _, left := range wordstest.Left(t, strings.NewReader(page), data, names...) {
			if !anybodys.MatchString(left) {
				t.Errorf("%s: %s", what, left)
			}
		}
	}
	look := func(c *http.Client, paths ...string) {
		t.Helper()
		for _, path := range paths {
			status, page, header := h.get(c, path)
			check(path, h.readable(page, header))
			if status != http.StatusOK && path != "/nothing" {
				t.Errorf("%s: %d", path, status)
			}
		}
	}
	copies := []string{note, note + "/export", note + "/print", note + "/note.pdf", note + "/note.html", note + "/note.txt"}
	look(chen, append(copies, "/", "/?show=mine", "/units/4-west", "/units/4-west/beds/4-west-01", "/unsigned", "/cosign", "/tasks", "/security",
		note+"/sign?as=author", note+"/versions", note+"/history", "/nothing", "/late", "/units/4-west/wall")...)
	for path, form := range map[string]url.Values{
		note + "/versions": {"name": {strings.Repeat("x", 500)}, "seq": {"1"}}, "/phrases": {"name": {"1"}}, "/notes": {"patient": {"1"}, "kind": {"none"}},
	} {
		status, page := h.post(chen, path, form)
		if check(path, page); status != http.StatusUnprocessableEntity {
			t.Errorf("%s refuses with %d", path, status)
		}
	}
	if _, answer, _ := h.api("GET", "/api/v1"+note+"/colleagues", h.token("chen"), "", nil); !strings.Contains(string(answer), `"role":"charge nurse","roleName":"çĥàŕĝé ñûŕšé"`) {
		t.Errorf("colleagues are %s", answer)
	}
	h.signs(chen, "author")
	look(chen, copies...)
	if _, _, header := h.submit(chen, note+"/amend", url.Values{"relation": {"correction"}, "reason": {"Slept well."}}); header.Get("Location") == "" {
		t.Fatal("no correction was begun")
	} else {
		look(chen, header.Get("Location"), note, "/unsigned", note+"/print")
	}
	look(haddad, "/units/4-west", "/unsigned?of=unit")
	_, sessions, _ := h.get(officer, "/admin/sessions")
	ids, _ := listed(sessions)
	look(officer, "/reviews", "/reviews/activity", "/reviews/log", patient, "/retention", "/destruction", "/admin/sessions", "/admin/sessions/"+ids[0])
	look(novak, "/admin", "/admin/people", h.about("chen"), "/admin/add", "/admin/units", "/admin/keys", "/admin/system")

	if n := h.count(`SELECT count(*) FROM audit_event WHERE code ~ '[^ -~]'`); n > 0 {
		t.Errorf("%d acts are on record in another language", n)
	}
}

// anybodys are initials, and numbers of copies, which have letters alone at times.
var anybodys = regexp.MustCompile(`^([A-Z]{2}|[A-Z]{10}) in “`)

// storedNames are the names that are stored in English, each of which is in the catalogue, and words that notes have, too.
func storedNames(t *testing.T, another context.Context) (names []string) {
	t.Helper()
	for _, role := range access.Roles() {
		names = append(names, string(role))
	}
	for _, kind := range notekind.Kinds {
		names = append(names, string(kind.Name))
		for _, section := range kind.Sections {
			if words.Say(another, section.Heading) == string(section.Heading) {
				t.Errorf("section %q is not in the catalogue", section.Heading)
			}
		}
	}
	if web.Kept(another, store.Unreadable) == store.Unreadable || web.Kept(another, store.Destroyed) == store.Destroyed {
		t.Error("what does not open says so in English")
	}
	for _, name := range append(names, strings.Split(access.Ties(0xff).String(), ", ")...) {
		if web.Named(another, name) == name {
			t.Errorf("%q is not in the catalogue", name)
		}
	}
	return append(names, "Female", "Male", "came", "left", "wrote") // the last are said of sessions
}

// hospitalsWords are the words of the demo: who and what is there, and what its notes say.
func hospitalsWords(t *testing.T) map[string]bool {
	t.Helper()
	code, err := filepath.Glob("demo/*.go")
	if err != nil {
		t.Fatal(err)
	}
	data := wordstest.Data(t, append(code, "language_test.go", "sessionspage_test.go")...)
	notes, err := filepath.Glob("demo/cases/*.md")
	if err != nil || len(notes) == 0 {
		t.Fatal(err, notes)
	}
	for _, name := range notes {
		said, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		wordstest.AddWords(data, string(said))
	}
	return data
}

// readable is what somebody reads of an answer.
func (h *hospital) readable(body string, header http.Header) string {
	switch media, _, _ := mime.ParseMediaType(header.Get("Content-Type")); media {
	case "application/pdf":
		return html.EscapeString(h.readPDF(body))
	case "text/plain":
		return html.EscapeString(body)
	}
	return body
}
