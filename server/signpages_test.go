package server_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/ysync"
	"github.com/clisonix/tidechart/server/demo"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/sessions"
)

// types has somebody put a paragraph on top of the note.
func (h *hospital) types(user, text string) {
	h.t.Helper()
	_, state, _ := h.api("GET", "/api/v1/notes/"+h.note.String()+"/state", h.token(user), "", nil)
	h.edit(user, state, func(tx *crdt.Txn, f *crdt.XMLFragment) {
		f.Insert(tx, 0, crdt.NewXMLElement("paragraph", nil, crdt.NewXMLText(text)))
	})
}

// suggests has somebody suggest to say something else than "Afebrile".
func (h *hospital) suggests(user string) {
	h.t.Helper()
	_, state, _ := h.api("GET", "/api/v1/notes/"+h.note.String()+"/state", h.token(user), "", nil)
	h.edit(user, state, func(tx *crdt.Txn, f *crdt.XMLFragment) {
		text := crdt.NewXMLText("")
		f.Insert(tx, 0, crdt.NewXMLElement("paragraph", nil, text))
		text.InsertFormatted(tx, 0, "Afebrile", map[string]any{"deletion--AAAAAAAA": map[string]any{"id": "s1"}})
		text.InsertFormatted(tx, text.Len(), "Febrile", map[string]any{"insertion--AAAAAAAA": map[string]any{"id": "s1"}})
	})
}

// physicians makes the note one that nurses write in, and do not sign.
func (h *hospital) physicians() *hospital {
	h.t.Helper()
	h.sql(`UPDATE note SET kind = 'progress' WHERE id = $1`, h.note)
	return h
}

// cuts has somebody take the paragraph on top away.
func (h *hospital) cuts(user string) {
	h.t.Helper()
	_, state, _ := h.api("GET", "/api/v1/notes/"+h.note.String()+"/state", h.token(user), "", nil)
	h.edit(user, state, func(tx *crdt.Txn, f *crdt.XMLFragment) { f.Delete(tx, 0, 1) })
}

var shownField = regexp.MustCompile(`name="(as|content|attribution|identity|seq|epoch)" value="([^"]*)"`)

// sheet opens a page and returns what its form sends back.
func (h *hospital) sheet(c *http.Client, path string) (form url.Values, page string) {
	h.t.Helper()
	status, page, _ := h.get(c, path)
	if status != http.StatusOK {
		h.t.Fatalf("%s: %d", path, status)
	}
	form = url.Values{}
	for _, m := range shownField.FindAllStringSubmatch(page, -1) {
		form.Set(m[1], m[2])
	}
	return form, page
}

// signs has somebody sign the note as the page lets them, and returns what its page says then.
func (h *hospital) signs(c *http.Client, as string) (page string) {
	h.t.Helper()
	form, _ := h.sheet(c, h.sheetPath(as))
	status, body, header := h.submit(c, "/notes/"+h.note.String()+"/sign", form)
	if to := header.Get("Location"); status != http.StatusSeeOther || to != "/notes/"+h.note.String() {
		h.t.Fatalf("signing as %q: %d to %q %s", as, status, to, alertOf(body))
	}
	_, page, _ = h.get(c, "/notes/"+h.note.String())
	return page
}

// sheetPath is the sheet of the note for a meaning.
func (h *hospital) sheetPath(as string) string { return "/notes/" + h.note.String() + "/sign?as=" + as }

// alertOf is what a page says is wrong.
func alertOf(page string) string {
	_, rest, _ := strings.Cut(page, `role="alert"`)
	rest, _, _ = strings.Cut(rest, "</section>")
	return rest
}

// says fails unless a page has all of these words.
func says(t *testing.T, what, page string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(page, w) {
			t.Errorf("%s does not say %q", what, w)
		}
	}
}

// TestSigningOnPages: a resident signs what they have seen, or nothing; an attending cosigns; a nurse is a witness; who may not is refused,
// and that is on record.
func TestSigningOnPages(t *testing.T) {
	h := open(t).physicians()
	okafor, chen, rivera := h.signIn("okafor"), h.signIn("chen"), h.signIn("rivera")
	note := "/notes/" + h.note.String()
	h.types("okafor", "Afebrile overnight.")
	h.types("chen", "Weight ***")
	h.acts()

	for name, want := range map[string]int{"rivera": 403, "brandt": 403} {
		c := rivera
		if name == "brandt" {
			c = h.signIn("brandt")
		}
		if status, _, _ := h.get(c, note+"/sign"); status != want {
			t.Errorf("%s gets the sheet: %d", name, status)
		}
		if status, _ := h.post(c, note+"/sign", url.Values{"as": {"author"}}); status != want {
			t.Errorf("%s signs: %d", name, status)
		}
		if status, _ := h.post(c, note+"/hold", url.Values{"as": {"author"}}); status != want {
			t.Errorf("%s holds it: %d", name, status)
		}
	}
	if n := strings.Count(strings.Join(h.acts(), "\n"), "sign note: not this kind of note"); n != 5 {
		t.Errorf("%d refusals of nurses are on record, want 5", n)
	}
	for what, form := range map[string]url.Values{
		"as a king": {"as": {"king"}}, "no hash": {"as": {"author"}, "content": {"<script>"}, "attribution": {"0"}},
	} {
		if status, _ := h.post(okafor, note+"/sign", form); status != 422 {
			t.Errorf("%s: %d", what, status)
		}
	}
	if status, _, _ := h.get(okafor, "/notes/"+uuid.NewString()+"/sign"); status != 404 {
		t.Errorf("no such note: %d", status)
	}
	if status, _ := h.post(okafor, note+"/sign", url.Values{"as": {strings.Repeat("x", 20<<10)}}); status != 413 {
		t.Errorf("a large form: %d", status)
	}

	form, page := h.sheet(okafor, note+"/sign")
	says(t, "the sheet with a blank", page, `href="#block-1"`, `id="block-1"`, "<mark>***</mark>", "It cannot be signed now", "Dr Mei Chen", "An attending:")
	if strings.Contains(page, `id="sign"`) {
		t.Error("it offers to sign all the same")
	}
	if status, body := h.post(okafor, note+"/sign", form); status != 409 || !strings.Contains(alertOf(body), "***") {
		t.Errorf("signed with a blank: %d", status)
	}
	h.cuts("chen")

	form, _ = h.sheet(okafor, note+"/sign")
	h.age()
	back := h.post303(okafor, note+"/sign", form)
	if !strings.HasPrefix(back, "/confirm?next=") || strings.Contains(back, form.Get("content")) {
		t.Fatalf("an old sign-in leads to %q", back)
	}
	next, _ := url.QueryUnescape(strings.TrimPrefix(back, "/confirm?next="))
	if status, to := h.confirm(okafor, demo.Password, next); status != 303 || to != next {
		t.Fatalf("confirmed: %d to %q", status, to)
	}
	h.sql(`UPDATE login SET proven_at = now()`)
	form, page = h.sheet(okafor, next)
	says(t, "the sheet after the proof", page, "Nothing has changed since you looked")

	h.types("chen", "Weight 71.4 kg.")
	status, page := h.post(okafor, note+"/sign", form)
	says(t, "the sheet of a note that has changed", page, "<ins>Weight 71.4 kg.</ins>", "Nothing was signed", "Hold the note still and show me")
	if status != 409 || h.count(`SELECT count(*) FROM note_signature`) != 0 {
		t.Fatalf("signed what nobody saw: %d", status)
	}
	if n := strings.Count(strings.Join(h.acts(), "\n"), "note.sign failed okafor note: changed"); n != 1 {
		t.Errorf("%d failed signings are on record", n)
	}

	h.holds(okafor, chen)
	page = h.signs(okafor, "author")
	says(t, "the signed note", page, ">SIGNED<", "Signed by <b>Dr Daniel Okafor</b>", "resident", "Preliminary", "until an attending cosigns", "Weight 71.4 kg.", "Ed25519 and ML-DSA-65")
	for _, gone := range []string{"editor-", "data-note=", `id="toolbar"`, "Connecting"} {
		if strings.Contains(page, gone) {
			t.Errorf("the page of the signed note has %q", gone)
		}
	}
	if status, _ := h.post(chen, note+"/sign", form); status != 403 {
		t.Errorf("another author signs: %d", status)
	}
	if to := h.post303(chen, note+"/let-go", url.Values{"epoch": {"1"}}); to == note {
		t.Error("a signed note was let go of")
	}

	if status, _, _ := h.get(rivera, "/cosign"); status != 403 {
		t.Errorf("a nurse has an inbox: %d", status)
	}
	_, page, _ = h.get(chen, "/cosign")
	says(t, "the inbox", page, "Cosign (1)", note+"/sign?as=cosign", "Dr Daniel Okafor")
	form, page = h.sheet(chen, h.sheetPath("cosign"))
	says(t, "the cosigner's sheet", page, "Your attestation")
	form.Set("remark", "  Seen and examined with the resident.\r\nI <agree>. ")
	h.age()
	status, page = h.post(chen, note+"/sign", form)
	says(t, "the sheet of who has to prove it first", page, "Your words are still below", "I &lt;agree&gt;.</textarea>", `href="/confirm?next=`, `target="_blank"`)
	if status != 403 || h.count(`SELECT count(*) FROM note_signature`) != 1 {
		t.Errorf("cosigned by an old sign-in: %d", status)
	}
	h.sql(`UPDATE login SET proven_at = now()`)
	form.Set("remark", "a\x00b")
	if status, page = h.post(chen, note+"/sign", form); status != 422 || !strings.Contains(alertOf(page), "too long, or has characters") {
		t.Errorf("an attestation that cannot be shown: %d", status)
	}
	form.Set("remark", "  Seen and examined with the resident.\r\nI <agree>. ")
	if to := h.post303(chen, note+"/sign", form); to != note {
		t.Fatalf("cosigned with words: to %q", to)
	}
	_, page, _ = h.get(chen, note)
	says(t, "the cosigned note", page, "Cosigned by <b>Dr Mei Chen</b>", ">Seen and examined with the resident.\nI &lt;agree&gt;.</blockquote>")
	if _, page, _ = h.get(chen, note+"/note.txt"); !strings.Contains(page, "“Seen and examined with the resident. I <agree>.”") {
		t.Error("a copy does not say what the cosigner says")
	}
	if _, page, _ = h.get(chen, "/cosign"); !strings.Contains(page, "Nothing waits for you") {
		t.Error("the inbox has what was cosigned")
	}
	says(t, "the witnessed note", h.signs(rivera, "witness"), "Witnessed by <b>Rosa Rivera RN</b>")
	if status, page, _ := h.get(rivera, h.sheetPath("witness")); status != 200 || !strings.Contains(alertOf(page), "signed this note already") {
		t.Errorf("a witness twice: %d", status)
	}
}

// TestHandoffIsReadBack: who takes over signs that they have read the handoff back, on record; until somebody has, it says so. Who handed over
// does not, nor does anybody who takes over nothing, and other notes are not read back.
func TestHandoffIsReadBack(t *testing.T) {
	h := open(t)
	rivera, haddad := h.signIn("rivera"), h.signIn("haddad")
	note := "/notes/" + h.note.String()
	h.physicians()
	if status, _ := h.post(haddad, note+"/sign", url.Values{"as": {"receiver"}}); status != 403 {
		t.Errorf("a progress note is read back: %d", status)
	}
	h.sql(`UPDATE note SET kind = 'handoff' WHERE id = $1`, h.note)
	if status, _ := h.post(haddad, note+"/sign", url.Values{"as": {"receiver"}}); status != 409 {
		t.Errorf("read back before it is signed: %d", status)
	}
	h.types("rivera", "Watcher. Furosemide at 22:00.")
	page := h.signs(rivera, "author")
	says(t, "the handoff", page, "Not read back")
	if strings.Contains(page, "Read back and take over") {
		t.Error("who hands over is to read it back")
	}
	if status, page, _ := h.get(rivera, h.sheetPath("receiver")); status != 200 || !strings.Contains(alertOf(page), "signed this note already") {
		t.Errorf("who hands over reads it back: %d", status)
	}
	_, page, _ = h.get(haddad, "/")
	says(t, "the worklist of its receiver", page, "Not read back")
	_, page, _ = h.get(haddad, note)
	says(t, "the handoff to its receiver", page, "Read back and take over…", note+"/sign?as=receiver")
	_, page, _ = h.get(haddad, h.sheetPath("receiver"))
	says(t, "the receiver's sheet", page, "I have read this back", "you take over the care", "<dd>Receiver</dd>", "Watcher. Furosemide at 22:00.")
	h.acts()
	for name, want := range map[string]int{"sato": 403, "moreau": 403, "brandt": 403} {
		if status, _ := h.post(h.signIn(name), note+"/sign", url.Values{"as": {"receiver"}}); status != want {
			t.Errorf("%s takes over: %d", name, status)
		}
	}
	if n := strings.Count(strings.Join(h.acts(), "\n"), "receive note: "); n != 3 {
		t.Errorf("%d refusals are on record", n)
	}
	page = h.signs(haddad, "receiver")
	says(t, "the handoff that was read back", page, "Read back by <b>Lina Haddad RN</b>, charge nurse")
	if strings.Contains(page, "Not read back") {
		t.Error("it waits to be read back still")
	}
	if _, page, _ := h.get(haddad, "/"); strings.Contains(page, "Not read back") {
		t.Error("on the worklist it waits to be read back still")
	}
	if acts := strings.Join(h.acts(), "\n"); !strings.Contains(acts, "note.receive done haddad note: ") {
		t.Errorf("on record is %s", acts)
	}
	if n := h.count(`SELECT count(*) FROM note_signature WHERE meaning = 'receiver'`); n != 1 {
		t.Errorf("%d have read it back", n)
	}
	if to := h.post303(h.signIn("okafor"), note+"/sign", signedForm(t, h, "okafor", "receiver")); to != note {
		t.Errorf("a second receiver is sent to %q", to)
	}
}

// TestNobodySignsOverSuggestions: while a note has a suggestion, its sheet says so and leads there, and it is not signed, whoever asks; decided on,
// it is.
func TestNobodySignsOverSuggestions(t *testing.T) {
	h := open(t).physicians()
	okafor := h.signIn("okafor")
	note := "/notes/" + h.note.String()
	h.types("okafor", "Afebrile overnight.")
	h.suggests("chen")
	h.acts()
	form, page := h.sheet(okafor, note+"/sign")
	says(t, "the sheet with a suggestion", page, `<a href="#block-1">1 suggestion waits</a>`, `id="block-1"`, "It cannot be signed now", "Accept or reject each of them")
	if strings.Contains(page, `id="sign"`) {
		t.Error("it offers to sign all the same")
	}
	if status, body := h.post(okafor, note+"/sign", form); status != 409 || !strings.Contains(alertOf(body), "suggestions in the note") {
		t.Errorf("signed over a suggestion: %d, %s", status, alertOf(body))
	}
	h.recorded("tries to sign", "note.open done okafor note: page", "note.sign failed okafor note: suggestions")
	h.cuts("chen")
	form, page = h.sheet(okafor, note+"/sign")
	says(t, "the sheet", page, "None that waits to be decided on")
	if status, _ := h.post(okafor, note+"/sign", form); status != 303 || h.count(`SELECT count(*) FROM note_signature`) != 1 {
		t.Errorf("it is not signed: %d", status)
	}
}

// signedForm is the form of the sheet that somebody has before them.
func signedForm(t *testing.T, h *hospital, username, as string) url.Values {
	t.Helper()
	form, _ := h.sheet(h.signIn(username), h.sheetPath(as))
	return form
}

// holds has somebody hold the note still, while another has it open, who lets go of it.
func (h *hospital) holds(holder, other *http.Client) {
	t, note := h.t, "/notes/"+h.note.String()
	t.Helper()
	form, _ := h.sheet(holder, note+"/sign")
	ws := h.openWire(h.token("chen"), nil)
	to := h.post303(holder, note+"/hold", form)
	if m, code := ws.until(isScope); code != 0 || m.Text != "readonly" {
		t.Errorf("the editor of a colleague: %q, %d", m.Text, code)
	}
	held, page := h.sheet(holder, to)
	says(t, "the sheet of a held note", page, "You hold the note still until", "Nothing has changed since you looked")
	_, page, _ = h.get(other, note+"/standing")
	says(t, "where the note stands", page, "Dr Daniel Okafor holds the note still until")
	if status, page, _ := h.get(other, note+"/sign"); status != 200 || strings.Contains(page, `id="sign"`) {
		t.Errorf("another may sign meanwhile: %d", status)
	}
	if _, page, _ := h.get(other, note); !strings.Contains(page, "holds the note still until") || !strings.Contains(page, "data-editable") {
		t.Error("the page of the note does not say who holds it, or could not be written afterwards")
	}
	if to := h.post303(other, note+"/let-go", url.Values{"epoch": {held.Get("epoch")}}); to != note {
		t.Errorf("let go: to %q", to)
	}
	if m, code := ws.until(isScope); code != 0 || m.Text == "readonly" {
		t.Errorf("the editor afterwards: %q, %d", m.Text, code)
	}
	if _, page, _ := h.get(other, note+"/standing"); strings.TrimSpace(page) != "" {
		t.Errorf("where the note stands afterwards: %q", page)
	}
	if status, body := h.post(holder, note+"/sign", held); status != 409 || !strings.Contains(alertOf(body), "let go of the note") {
		t.Errorf("signed by a freeze that was let go of: %d %s", status, alertOf(body))
	}
	for range store.MaxFreezes - 1 {
		h.post303(holder, note+"/hold", form)
	}
	if status, body := h.post(holder, note+"/hold", form); status != 409 || !strings.Contains(alertOf(body), "five times within half an hour") {
		t.Errorf("held once more: %d %s", status, alertOf(body))
	}
	held, _ = h.sheet(holder, note+"/sign")
	h.post303(other, note+"/let-go", url.Values{"epoch": {held.Get("epoch")}})
}

// post303 sends a form and returns where it leads; "" if nowhere.
func (h *hospital) post303(c *http.Client, path string, form url.Values) string {
	h.t.Helper()
	status, _, header := h.submit(c, path, form)
	if status != http.StatusSeeOther {
		return ""
	}
	return header.Get("Location")
}

// TestAmendingOnPages: what is said about a signed note is a note of its own, with a kind and a reason; signed, it stands below the first,
// which stays legible even when it was entered in error.
func TestAmendingOnPages(t *testing.T) {
	h := open(t)
	chen, rivera := h.signIn("chen"), h.signIn("rivera")
	h.types("chen", "Allergic to latex.")
	parent := h.note
	path := "/notes/" + parent.String()
	if status, _, _ := h.get(chen, path+"/amend"); status != 409 {
		t.Errorf("a draft is amended: %d", status)
	}
	h.signs(chen, "author")
	for what, form := range map[string]url.Values{
		"no kind":     {"reason": {"because"}},
		"no such one": {"relation": {"improvement"}, "reason": {"because"}},
		"no reason":   {"relation": {"addendum"}, "reason": {"  "}},
		"a long one":  {"relation": {"addendum"}, "reason": {strings.Repeat("ü", 251)}},
		"no text":     {"relation": {"addendum"}, "reason": {"a\x00b"}},
	} {
		if status, body := h.post(chen, path+"/amend", form); status != 422 || !strings.Contains(body, "amend-error") {
			t.Errorf("%s: %d", what, status)
		}
	}
	if status, _ := h.post(h.signIn("brandt"), path+"/amend", url.Values{"relation": {"addendum"}, "reason": {"because"}}); status != 403 {
		t.Errorf("a nurse of another unit amends: %d", status)
	}

	say := func(relation, reason, words string) (page string) {
		to := h.post303(chen, path+"/amend", url.Values{"relation": {relation}, "reason": {reason}})
		child, err := uuid.Parse(strings.TrimPrefix(to, "/notes/"))
		if err != nil {
			t.Fatalf("amended: to %q", to)
		}
		h.note = child
		defer func() { h.note = parent }()
		h.types("chen", words)
		_, page, _ = h.get(chen, to)
		says(t, "the page of what is begun", page, `id="about"`, path, "&lt;b&gt;"+reason[3:], "Preliminary", "data-note=")
		_, page, _ = h.get(rivera, path)
		says(t, "the first, before", page, "It is not signed yet")
		if strings.Contains(page, words) {
			t.Error("what nobody signed stands below a signed note")
		}
		_, page = h.sheet(chen, h.sheetPath("author"))
		says(t, "its sheet", page, `id="about"`)
		h.signs(chen, "author")
		_, page, _ = h.get(rivera, path)
		return page
	}
	page := say("addendum", "<b>asked", "Rash in 2019.")
	says(t, "the first note", page, "Signed, with addendum", "Rash in 2019.", "Allergic to latex.", "Added:")
	page = say("correction", "<b>typo", "Of the left arm.")
	says(t, "the first note", page, "Signed, with correction", "Rash in 2019.", "Of the left arm.", "Corrected:")
	page = say("retraction", "<b>wrong patient", "Not this patient.")
	says(t, "the first note", page, "ENTERED IN ERROR", "Not this patient.", "Allergic to latex.", "<del>", "It stays here to be read")
	if strings.Contains(page, path+"/amend") {
		t.Error("it offers to amend what was retracted")
	}
	if status, _, _ := h.get(chen, path+"/amend"); status != 409 {
		t.Errorf("what was retracted is amended: %d", status)
	}
	if status, _ := h.post(rivera, path+"/sign", url.Values{"as": {"witness"}}); status != 409 {
		t.Errorf("what was retracted is witnessed: %d", status)
	}
}

// TestLateWordsOnPages: what somebody typed too late stands on a page of theirs and beside the note; they make an addendum of it, or set it
// aside, and nobody does so for them.
func TestLateWordsOnPages(t *testing.T) {
	h := open(t)
	chen, rivera, okafor := h.signIn("chen"), h.signIn("rivera"), h.signIn("okafor")
	path := "/notes/" + h.note.String()
	h.types("chen", "Stable.")
	late := h.openWire(h.token("rivera"), nil)
	_, state, _ := h.api("GET", "/api/v1/notes/"+h.note.String()+"/state", h.token("rivera"), "", nil)
	h.signs(chen, "author")
	late.until(isScope)

	away := crdt.New("")
	if err := away.ApplyUpdate(state); err != nil {
		t.Fatal(err)
	}
	send := func(words string) {
		t.Helper()
		update, err := away.Transact(77, func(tx *crdt.Txn) {
			away.XMLFragment(sessions.Fragment).Insert(tx, 0, crdt.NewXMLElement("paragraph", nil, crdt.NewXMLText(words)))
		})
		if err != nil {
			t.Fatal(err)
		}
		late.send(ysync.Message{Kind: ysync.Sync, Step: ysync.StepUpdate, Data: update})
		if m, code := late.until(func(m ysync.Message) bool { return m.Kind == ysync.SyncStatus }); !m.Saved {
			t.Fatalf("late words are not kept: %d", code)
		}
	}
	send("Pain <two> of ten.")
	_, page, _ := h.get(rivera, "/")
	says(t, "any page", page, "Words of yours came after 1 note was signed")
	_, page, _ = h.get(rivera, path+"/standing")
	says(t, "where the note stands", page, "SIGNED", "4 words")
	_, page, _ = h.get(rivera, "/late")
	says(t, "the page of late words", page, "4 words at", "Pain &lt;two&gt; of ten.", "Make an addendum of them", path)
	_, page, _ = h.get(okafor, path)
	says(t, "the note", page, "Words of Rosa Rivera RN came after", "Pain &lt;two&gt; of ten.")
	if strings.Contains(page, "Make an addendum") {
		t.Error("somebody else may make an addendum of them")
	}
	if _, page, _ := h.get(okafor, "/late"); !strings.Contains(page, "Nothing waits for you") {
		t.Error("somebody else has them on their page")
	}
	for what, try := range map[string]struct {
		who    *http.Client
		form   url.Values
		status int
	}{
		"somebody else's addendum": {okafor, url.Values{"how": {"amend"}}, 409},
		"set aside by another":     {okafor, url.Values{"how": {"aside"}, "reason": {"not mine"}}, 409},
		"without a reason":         {rivera, url.Values{"how": {"aside"}}, 422},
		"no such thing":            {rivera, url.Values{"how": {"burn"}}, 422},
	} {
		if status, _ := h.post(try.who, path+"/late", try.form); status != try.status {
			t.Errorf("%s: %d, want %d", what, status, try.status)
		}
	}
	to := h.post303(rivera, path+"/late", url.Values{"how": {"amend"}})
	if status, page, _ := h.get(rivera, to); status != 200 || !strings.Contains(page, "Pain &lt;two&gt; of ten.") || !strings.Contains(page, "arrived after its signature") {
		t.Fatalf("the addendum at %q: %d", to, status)
	}
	if _, page, _ := h.get(rivera, "/late"); !strings.Contains(page, "Nothing waits for you") {
		t.Error("they wait still")
	}
	send("And so on.")
	if to := h.post303(rivera, path+"/late", url.Values{"how": {"aside"}, "reason": {"typed into the wrong window"}}); to != "/late" {
		t.Errorf("set aside: to %q", to)
	}
	if n := h.count(`SELECT count(*) FROM late_edit_settled`); n != 2 {
		t.Errorf("%d are settled", n)
	}
	if status, _ := h.post(rivera, path+"/late", url.Values{"how": {"amend"}}); status != 409 {
		t.Errorf("once more: %d", status)
	}
}

// TestUnsignedNotes: everybody who writes sees what they have not signed, who answers for a unit also what others have not; what is older
// than a day is marked, and what somebody may not read is not there. A draft that is done says so wherever notes are listed.
func TestUnsignedNotes(t *testing.T) {
	h := open(t).physicians()
	haddad, chen, rivera := h.signIn("haddad"), h.signIn("chen"), h.signIn("rivera")
	path := "/notes/" + h.note.String()
	h.sql(`UPDATE note SET created_by = (SELECT id FROM person WHERE username = 'chen'), created_at = now() - interval '25 hours' WHERE id = $1`, h.note)
	h.sql(`UPDATE note SET created_at = now() - interval '23 hours' WHERE id <> $1`, h.note)
	_, page, _ := h.get(chen, "/unsigned")
	says(t, "chen's list", page, path, path+"/sign", "Overdue", "25 h", "1 waits longer than")
	if _, page, _ = h.get(rivera, "/unsigned"); strings.Contains(page, path) {
		t.Error("a nurse has it on a list of her own")
	}
	if _, page, _ = h.get(rivera, "/unsigned?of=unit"); strings.Contains(page, path) || strings.Contains(page, "Of my whole unit") {
		t.Error("a nurse has the unit's list")
	}
	_, page, _ = h.get(haddad, "/unsigned?of=unit")
	says(t, "the charge nurse's list", page, path, "Dr Mei Chen")
	if strings.Contains(page, path+"/sign") {
		t.Error("it offers a nurse to sign a physician's note")
	}
	h.sql(`UPDATE patient SET vip = true WHERE id = `+patient, h.note)
	h.sql(`DELETE FROM care_team WHERE patient_id = `+patient, h.note)
	if _, page, _ = h.get(haddad, "/unsigned?of=unit"); strings.Contains(page, path) {
		t.Error("a restricted record is on the list")
	}
	h.sql(`UPDATE patient SET vip = false WHERE id = `+patient, h.note)
	if status, _, _ := h.get(h.signIn("novak"), "/unsigned"); status != 403 {
		t.Errorf("an administrator's: %d", status)
	}

	if status, _ := h.post(h.signIn("brandt"), path+"/review", url.Values{"done": {"yes"}}); status != 403 {
		t.Errorf("a nurse of another unit says it is done: %d", status)
	}
	if to := h.post303(rivera, path+"/review", url.Values{"done": {"yes"}}); to != path {
		t.Errorf("done: to %q", to)
	}
	for _, where := range []string{"/", path} {
		if _, page, _ := h.get(chen, where); !strings.Contains(page, "In review") {
			t.Errorf("%s does not say that it is in review", where)
		}
	}
	if _, body, _ := h.api("GET", "/api/v1"+path, h.token("chen"), "", nil); !strings.Contains(string(body), `"status":"review"`) {
		t.Errorf("the API says %s", body)
	}
	h.post303(chen, path+"/review", url.Values{"done": {"no"}})
	if _, page, _ := h.get(chen, path); !strings.Contains(page, "Ready for review") {
		t.Error("it is no draft again")
	}
}
