package server_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/clisonix/tidechart/crdt"
)

// says has somebody make an edit of the note.
func (h *hospital) says(user string, f func(tx *crdt.Txn, f *crdt.XMLFragment)) {
	h.t.Helper()
	_, state, _ := h.api("GET", "/api/v1/notes/"+h.note.String()+"/state", h.token(user), "", nil)
	h.edit(user, state, f)
}

// line has somebody add a paragraph at the top.
func (h *hospital) line(user, text string) {
	h.t.Helper()
	h.says(user, func(tx *crdt.Txn, f *crdt.XMLFragment) {
		f.Insert(tx, 0, crdt.NewXMLElement("paragraph", nil, crdt.NewXMLText(text)))
	})
}

// replace has somebody write other words for some in the first paragraph.
func (h *hospital) replace(user, old, with string) {
	h.t.Helper()
	h.says(user, func(tx *crdt.Txn, f *crdt.XMLFragment) {
		first, _ := f.Get(0)
		inner, _ := first.Value.(*crdt.XMLElement).Get(0)
		line := inner.Value.(*crdt.XMLText)
		at := strings.Index(line.String(), old)
		line.Delete(tx, at, len(old))
		if with != "" {
			line.Insert(tx, at, with)
		}
	})
}

// reads is what the note says, as text.
func (h *hospital) reads() string {
	h.t.Helper()
	_, text, _ := h.api("GET", "/api/v1/notes/"+h.note.String()+"/state", h.token("chen"), "text/plain", nil)
	return string(text)
}

func (h *hospital) head() int { return h.count(`SELECT head FROM note WHERE id = $1`, h.note) }

// signed makes the note one that is signed, by nobody: that takes a trigger away.
func (h *hospital) signed() {
	h.t.Helper()
	h.sql(`ALTER TABLE note DISABLE TRIGGER note_steps_as_signed`)
	h.sql(`UPDATE note SET state = 'signed' WHERE id = $1`, h.note)
}

// plainText is a page's text: tags are taken out, and gaps are one.
func plainText(page string) string {
	page = regexp.MustCompile(`(?s)<(script|style).*?</(script|style)>`).ReplaceAllString(page, "")
	return strings.Join(strings.Fields(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(page, "")), " ")
}

// TestVersionsAreNamed: who may write a note names its versions, once each, and only they change that; whoever reads the note sees the
// names, and nobody finds them in the database. All of it is on record.
func TestVersionsAreNamed(t *testing.T) {
	h := open(t).work()
	h.line("chen", "Stable overnight.")
	head := h.head()
	h.line("rivera", "Walked to the door.")
	path := "/notes/" + h.note.String() + "/versions"
	chen, rivera := h.signIn("chen"), h.signIn("rivera")
	h.acts()
	name := func(c *http.Client, name string, seq any) (int, string) {
		status, body, _ := h.submit(c, path, url.Values{"name": {name}, "seq": {fmt.Sprint(seq)}})
		return status, body
	}
	if status, _ := name(chen, "  Before  Kowalczyk's rounds ", head); status != 303 {
		t.Fatalf("a version is named: %d", status)
	}
	h.recorded("names a version", fmt.Sprintf("note.version done chen note: named seq=%d", head))
	for what, c := range map[string]struct {
		name string
		seq  any
	}{
		"the name again": {"before kowalczyk's ROUNDS", head + 1}, "no name": {"   ", head}, "a long name": {strings.Repeat("x", 81), head},
		"a name that hides": {"a\u202eb", head}, "no number": {"x", "x"}, "no version": {"x", 0}, "a negative version": {"x", -1},
	} {
		if status, page := name(chen, c.name, c.seq); status != 422 || !strings.Contains(page, `role="alert"`) {
			t.Errorf("%s: %d", what, status)
		}
	}
	if status, _ := name(chen, "Tomorrow", head+100); status != 404 {
		t.Errorf("a version to come: %d", status)
	}
	if status, page, _ := h.get(h.signIn("haddad"), path); status != 200 || !strings.Contains(page, "Before Kowalczyk&#39;s rounds") || strings.Contains(page, "Change the name") {
		t.Errorf("a colleague sees the name, and cannot change it: %d", status)
	}
	if n := h.count(`SELECT count(*) FROM version WHERE encode(name, 'escape') ILIKE '%rounds%'`); n != 0 {
		t.Error("a name lies in the clear")
	}

	id := h.text(`SELECT id::text FROM version`)
	for _, at := range []string{"/" + id, "/" + id + "/remove"} {
		if status, _, _ := h.submit(rivera, path+at, url.Values{"name": {"Mine"}}); status != 404 {
			t.Errorf("somebody else's version, %s: %d", at, status)
		}
	}
	for username, want := range map[string]int{"brandt": 403, "novak": 403, "lindqvist": 403} { // who reads, and no more, is the last
		if status, _ := name(h.signIn(username), "Theirs", head); status != want {
			t.Errorf("%s names a version: %d, want %d", username, status, want)
		}
	}
	if status, _, _ := h.get(h.signIn("novak"), path); status != 403 {
		t.Errorf("who reads no notes sees versions: %d", status)
	}
	if status, _, _ := h.submit(chen, path+"/"+id, url.Values{"name": {"Before rounds"}}); status != 303 {
		t.Errorf("renamed: %d", status)
	}
	if status, page, _ := h.get(chen, "/notes/"+h.note.String()+"/compare?from="+id+"&to=now"); status != 200 || !strings.Contains(page, "Before rounds") {
		t.Errorf("compared with a named version: %d", status)
	}
	if status, _, _ := h.get(chen, "/notes/"+h.note.String()+"/compare?from=0a1b2c3d-0000-4000-8000-000000000000"); status != 404 {
		t.Errorf("compared with a version that is not there: %d", status)
	}
	if status, _, _ := h.submit(chen, path+"/"+id+"/remove", nil); status != 303 || h.count(`SELECT count(*) FROM version`) != 0 {
		t.Errorf("removed: %d", status)
	}
}

// TestVersionsAreKept: a version is where people stopped writing, for half an hour or because nobody was there any more, and where the
// state of the note changed.
func TestVersionsAreKept(t *testing.T) {
	h := open(t).work()
	for i, text := range []string{"One.", "Two.", "Three."} {
		h.line("chen", text)
		h.sql(`ALTER TABLE note_update DISABLE TRIGGER USER`)
		h.sql(`UPDATE note_update SET at = now() - $2::int * interval '1 hour' WHERE note_id = $1 AND seq = (SELECT head FROM note WHERE id = $1)`, h.note, 3-i)
		h.sql(`ALTER TABLE note_update ENABLE TRIGGER USER`)
	}
	h.signed()
	_, page, _ := h.get(h.signIn("chen"), "/notes/"+h.note.String()+"/versions")
	for _, seq := range []int{h.head(), h.head() - 1, h.head() - 2} {
		if !strings.Contains(page, fmt.Sprintf(`name="from" value="%d"`, seq)) {
			t.Errorf("edit %d is no version", seq)
		}
	}
	if n := h.count(`SELECT count(*) FROM note_turn WHERE note_id = $1 AND was = 'draft' AND state = 'signed' AND seq = $2`, h.note, h.head()); n != 1 {
		t.Errorf("that the note was signed is kept %d times", n)
	}
	if strings.Contains(page, "Name this version") || strings.Contains(page, "Bring back") {
		t.Error("a signed note can be changed")
	}
}

// TestCompare: two versions are one page, with what came and what went, whose it was, and who did it; as an address that any query may be part of,
// and on record like every look at what was.
func TestCompare(t *testing.T) {
	h := open(t).work()
	h.line("chen", "The patient was stable overnight, no fever.")
	from := h.head()
	h.replace("rivera", "stable", "unstable")
	h.line("rivera", "Pain is two of ten.")
	to := h.head()
	chen := h.signIn("chen")
	path := "/notes/" + h.note.String() + "/compare"
	status, page, _ := h.get(chen, fmt.Sprintf("%s?from=%d&to=%d", path, from, to))
	text := plainText(page)
	for _, want := range []string{"Removed by Rosa Rivera RN", "written by Dr Mei Chen", "Added by Rosa Rivera RN", "+ paragraph", "2 changes", "Nothing you do here changes it"} {
		if !strings.Contains(text, want) {
			t.Errorf("%d: the page does not say %q", status, want)
		}
	}
	for _, want := range []string{`<del`, `: </span>stable<`, `<ins`, `: </span>unstable<`, `Pain is two of ten.`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if strings.Contains(text, "unstable ,") || !regexp.MustCompile(`unstable ?\] ?overnight, no fever\.`).MatchString(text) {
		t.Errorf("gaps came from nowhere: %s", text)
	}
	_, back, _ := h.get(chen, fmt.Sprintf("%s?from=%d&to=%d", path, to, from))
	if text := plainText(back); !strings.Contains(text, "Added since by Rosa Rivera RN") || !strings.Contains(text, "Removed since by Rosa Rivera RN") {
		t.Errorf("the other way round: %s", text)
	}
	for _, query := range []string{
		"", "?from=now&to=1", "?from=0&to=0", "?from=-1&to=x", "?from=18446744073709551616&to=99999999999999999999999", "?from=%00&to=%ff", "?from=1&to=1&show=everything",
		"?from=" + strings.Repeat("9", 5000),
	} {
		if status, page, _ := h.get(chen, path+query); status != 200 || !strings.Contains(page, "compares two versions") {
			t.Errorf("%.60s: %d", query, status)
		}
	}
	if n := h.count(`SELECT count(*) FROM opening JOIN person ON person.id = person_id WHERE how = 'history' AND username = 'chen'`); n != 1 {
		t.Errorf("the looks of one person are on record %d times", n)
	}
	for _, page := range []string{"/compare", "/changes", "/versions", "/restore?at=1"} {
		for username, want := range map[string]int{"brandt": 403, "novak": 403} {
			if status, body, _ := h.get(h.signIn(username), "/notes/"+h.note.String()+page); status != want || strings.Contains(body, "stable") {
				t.Errorf("%s asks for %s: %d, want %d", username, page, status, want)
			}
		}
		if status, _, _ := h.get(chen, "/notes/0a1b2c3d-0000-4000-8000-000000000000"+page); status != 404 {
			t.Errorf("%s of a note that is not there: %d", page, status)
		}
	}
}

// TestRestoreIsAnEdit: what a note said is brought back by an edit of whoever asks: history goes on, words that stayed keep their authors, what
// a colleague types meanwhile is not lost, and it can be brought back itself.
func TestRestoreIsAnEdit(t *testing.T) {
	h := open(t).work()
	h.line("chen", "The patient was stable overnight, no fever.")
	old, said := h.head(), h.reads()
	h.replace("rivera", "stable", "SEIZING")
	h.line("rivera", "Pain is two of ten.")
	other, otherSaid := h.head(), h.reads()
	path := "/notes/" + h.note.String() + "/restore"
	haddad := h.signIn("haddad")
	status, page, _ := h.get(haddad, fmt.Sprintf("%s?at=%d", path, old))
	if status != 200 || !strings.Contains(page, "Nothing has changed yet") || !strings.Contains(page, "Bring this back as a new edit") || h.head() != other {
		t.Fatalf("it is asked first: %d", status)
	}
	put := func(c *http.Client, at, head any) (int, string) {
		status, body, _ := h.submit(c, path, url.Values{"at": {fmt.Sprint(at)}, "head": {fmt.Sprint(head)}})
		return status, body
	}
	wire := h.dialNote(h.note.String(), h.token("rivera")) // who is there when it happens
	defer func() { _ = wire.CloseNow() }()
	if _, _, err := wire.Read(t.Context()); err != nil { // they are there by now
		t.Fatal(err)
	}
	h.acts()
	if status, _ := put(haddad, old, other); status != 303 {
		t.Fatalf("brought back: %d", status)
	}
	h.recorded("brings back", fmt.Sprintf("note.back done haddad note: seq=%d instead=%d", old, other), "note.edit done haddad note")
	if got := h.reads(); got != said {
		t.Errorf("the note says %q, want %q", got, said)
	}
	if h.head() != other+1 {
		t.Errorf("the log has %d rows, want %d: nothing is taken from it", h.head(), other+1)
	}
	_, answer, _ := h.api("GET", "/api/v1/notes/"+h.note.String()+"/authors", h.token("chen"), "", nil)
	for who, words := range map[string]string{"chen": "The patient was ", "haddad": "stable"} {
		if !strings.Contains(string(answer), fmt.Sprintf(`{"text":%q,"author":%q,`, words, h.id(who))) {
			t.Errorf("%q is not %s's: %.400s", words, who, answer)
		}
	}

	if status, page := put(haddad, other, other); status != 409 || !strings.Contains(page, "since you were asked") {
		t.Errorf("brought back over what was not seen: %d", status)
	}
	if status, _ := put(haddad, other, h.head()); status != 303 || h.reads() != otherSaid {
		t.Errorf("brought back again: %d, %q", status, h.reads())
	}
	for what, form := range map[string][2]any{"nothing": {"", h.head()}, "row 0": {0, h.head()}, "a row to come": {h.head() + 1, h.head()}, "words": {"x", "y"}} {
		if status, _ := put(haddad, form[0], form[1]); status != 422 {
			t.Errorf("%s: %d, want 422", what, status)
		}
	}
	h.signed()
	for username, want := range map[string]int{"haddad": 403, "lindqvist": 403, "novak": 403} {
		if status, _ := put(h.signIn(username), old, h.head()); status != want {
			t.Errorf("%s brings a signed note back: %d, want %d", username, status, want)
		}
	}
	if h.reads() != otherSaid {
		t.Error("a signed note changed")
	}
}

// TestRestoreKeepsColleaguesWords: an edit that was made of what the note said before it was brought back, and comes after, stays.
func TestRestoreKeepsColleaguesWords(t *testing.T) {
	h := open(t).work()
	h.line("chen", "The patient was stable overnight, no fever.")
	old := h.head()
	h.replace("rivera", "stable", "SEIZING")
	before := h.head()
	_, state, _ := h.api("GET", "/api/v1/notes/"+h.note.String()+"/state", h.token("okafor"), "", nil)
	if status, _, _ := h.submit(h.signIn("haddad"), "/notes/"+h.note.String()+"/restore", url.Values{"at": {fmt.Sprint(old)}, "head": {fmt.Sprint(before)}}); status != 303 {
		t.Fatal(status)
	}
	h.edit("okafor", state, func(tx *crdt.Txn, f *crdt.XMLFragment) { // they were offline, and knew nothing of it
		first, _ := f.Get(0)
		inner, _ := first.Value.(*crdt.XMLElement).Get(0)
		line := inner.Value.(*crdt.XMLText)
		line.Insert(tx, line.Len(), " Eats well.")
		line.Insert(tx, 0, "At 6: ")
	})
	if got, _, _ := strings.Cut(h.reads(), "\n"); got != "At 6: The patient was stable overnight, no fever. Eats well." {
		t.Errorf("the note says %q", got)
	}
}

// TestChangedSinceYouLooked: who comes back to a note is told that others have written since, and shown what; nobody is told of what they
// wrote or saw themselves.
func TestChangedSinceYouLooked(t *testing.T) {
	h := open(t).work()
	h.line("rivera", "The patient was stable overnight.")
	note := "/notes/" + h.note.String()
	chen, rivera := h.signIn("chen"), h.signIn("rivera")
	const mark = "hanged since you looked"
	if _, page, _ := h.get(chen, note); strings.Contains(page, mark) {
		t.Error("who never looked is told that something changed")
	}
	seen := h.head()
	if _, page, _ := h.get(chen, "/?unit=4-west"); strings.Contains(page, mark) {
		t.Error("the worklist says that something changed which they have seen")
	}
	h.replace("rivera", "stable", "unstable")
	h.line("haddad", "Walked.")
	if _, page, _ := h.get(chen, "/?unit=4-west"); strings.Count(page, mark+`: `) != 1 {
		t.Errorf("the worklist marks %d notes, want 1", strings.Count(page, mark+`: `))
	}
	status, _, header := h.get(chen, note+"/changes")
	if want := fmt.Sprintf("%s/changes?since=%d", note, seen); status != 303 || header.Get("Location") != want {
		t.Fatalf("what changed is at %q, want %q", header.Get("Location"), want)
	}
	if _, page, _ := h.get(chen, note); !strings.Contains(page, fmt.Sprintf("/changes?since=%d", seen)) || !strings.Contains(page, mark+", by 2 people") {
		t.Error("the note does not say that something changed")
	}
	_, page, _ := h.get(chen, header.Get("Location"))
	if text := plainText(page); !strings.Contains(text, "Rosa Rivera RN1 word added, 1 removed") && !strings.Contains(text, "Rosa Rivera RN 1 word added, 1 removed") {
		t.Errorf("who wrote what: %s", text)
	}
	if _, page, _ := h.get(chen, note); !strings.Contains(page, mark) {
		t.Error("to load the page again makes it forget what was new when they came")
	}
	if _, page, _ := h.get(chen, "/?unit=4-west"); strings.Contains(page, mark) {
		t.Error("the worklist says that something changed which they have seen")
	}
	h.sql(`UPDATE last_look SET at = at - interval '11 minutes'`)
	if _, page, _ := h.get(chen, note); strings.Contains(page, mark) {
		t.Error("who comes back later is told of what they saw the last time")
	}
	if _, page, _ := h.get(rivera, note); strings.Contains(page, "by 2 people") || !strings.Contains(page, "by 1 person") {
		t.Error("somebody is told of what they wrote themselves")
	}
	for _, query := range []string{"?since=0", "?since=-1", "?since=x", "?since=99999999999999999999", "?since=1&show=all"} {
		if status, _, _ := h.get(chen, note+"/changes"+query); status != 200 && status != 303 {
			t.Errorf("%s: %d", query, status)
		}
	}
}
