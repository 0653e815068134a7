package web

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/a-h/templ"
)

func render(t *testing.T, c templ.Component) string {
	t.Helper()
	var b strings.Builder
	if err := c.Render(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// forbidden is what the content security policy forbids in a page.
var forbidden = []*regexp.Regexp{
	regexp.MustCompile(`(?i)<style`),
	regexp.MustCompile(`(?i)<[^>]+\sstyle=`),
	regexp.MustCompile(`(?i)<[^>]+\son[a-z]+=`),
	regexp.MustCompile(`(?i)<script[^>]*>[^<]`),
	regexp.MustCompile(`(?i)<[^>]+\shx-(on|vals)`),
	regexp.MustCompile(`(?i)(href|src|action)="(javascript|data):`),
	regexp.MustCompile(`(?i)(href|src)="(https?:)?//`),
}

var assetPath = regexp.MustCompile(`"/assets/([^"]+)"`)

func TestPages(t *testing.T) {
	for path, page := range samplePages() {
		t.Run(strings.TrimPrefix(path, "/"), func(t *testing.T) {
			html := render(t, page)
			for _, re := range forbidden {
				if found := re.FindString(html); found != "" {
					t.Errorf("the page holds %q", found)
				}
			}
			used := assetPath.FindAllStringSubmatch(html, -1)
			if len(used) == 0 {
				t.Error("the page uses no asset")
			}
			for _, m := range used {
				if _, ok := assets[m[1]]; !ok {
					t.Errorf("the page asks for %s, which was not built", m[1])
				}
			}
			checkTab(t, html)
		})
	}
}

// checkTab keeps patients' names out of the tab's title (I14).
func checkTab(t *testing.T, html string) {
	t.Helper()
	tab, _, ok := strings.Cut(html, "</title>")
	if !ok {
		t.Fatal("the page has no title")
	}
	for _, p := range patients {
		if strings.Contains(strings.ToLower(tab), strings.ToLower(p.Family)) {
			t.Errorf("the head of the page names %s", p.Family)
		}
	}
}

// TestConnectionIsShown: each page says in words how it came, and the page about one's sign-in what that means.
func TestConnectionIsShown(t *testing.T) {
	for c, want := range map[Connection][]string{
		{ConnectionPostQuantum, "X25519MLKEM768"}: {"Post-quantum connection", "stays secret from quantum computers", "X25519MLKEM768"},
		{ConnectionClassical, "X25519"}:           {"Classical connection", "can read it if they have a quantum computer", "X25519"},
		{ConnectionUnknown, "unknown"}:            {"through a proxy", "this server does not know"},
		{}:                                        {"not encrypted", "can be read on the way"},
	} {
		s := shell("Your sign-in", &chen, SectionNone)
		s.Connection = c
		for i, page := range []string{render(t, Worklist(WorklistView{Shell: s})), render(t, Security(SecurityView{Shell: s}))} {
			if !strings.Contains(page, `<span class="sr-only">`+c.words(t.Context())+`</span>`) || !strings.Contains(c.words(t.Context()), want[0]) {
				t.Errorf("page %d does not say %q", i, want[0])
			}
			for _, sentence := range want[1:] {
				if strings.Contains(page, sentence) != (i == 1) {
					t.Errorf("page %d and %q", i, sentence)
				}
			}
		}
	}
}

func TestNotePageWithoutLive(t *testing.T) {
	v := noteSample(chen, true)
	v.Live = false
	html := render(t, Note(v))
	for _, s := range []string{"editor-", "data-note=", "data-editable", `id="toolbar"`, "Connecting"} {
		if strings.Contains(html, s) {
			t.Errorf("a page that is not live holds %q", s)
		}
	}
	if !strings.Contains(html, "Slept well") || !strings.Contains(html, "Read-only") {
		t.Error("the note or its status is missing")
	}
}

func TestSessionsNameNoPatient(t *testing.T) {
	for _, html := range []string{render(t, Sessions(sessionsSample())), render(t, Session(sessionSample(shell("Session", &novak, SectionSessions))))} {
		if strings.Contains(html, "/notes/") {
			t.Error("the page links to notes for a person who may not read them")
		}
	}
	officer := shell("Session", &novak, SectionSessions)
	officer.CanReadNotes = true
	html := render(t, Session(sessionSample(officer)))
	for _, want := range []string{`href="/notes/n2/history?at=12"`, `href="/notes/n2/history?at=2300"`, okafor.Name + ": 400 words, " + chen.Name + ": 3."} {
		if !strings.Contains(html, want) {
			t.Errorf("the page of a session lacks %s", want)
		}
	}
}

func TestWorklistOffersOnlyWhatMayBeDone(t *testing.T) {
	v := worklistSample()
	if html := render(t, Worklist(v)); !strings.Contains(html, `action="/notes"`) || !strings.Contains(html, `value="handoff"`) {
		t.Error("the form for a new note is missing")
	}
	v.Kinds = nil
	v.CanReadNotes = false
	if html := render(t, Worklist(v)); strings.Contains(html, `action="/notes"`) || strings.Contains(html, `href="/notes/`) {
		t.Error("the page offers what the person may not do")
	}
}

func TestErrorPageKnowsEveryStatus(t *testing.T) {
	for _, status := range []int{400, 401, 403, 404, 405, 413, 429, 500, 503, 418} {
		v := ErrorView{Shell: shell("Error", nil, SectionNone), Status: status}
		if v.heading(t.Context()) == "" || v.detail(t.Context()) == "" {
			t.Errorf("status %d has no words", status)
		}
	}
	v := ErrorView{Status: 404, Heading: "No such note", Detail: "It may have been moved."}
	if v.heading(t.Context()) != "No such note" || v.detail(t.Context()) != "It may have been moved." {
		t.Error("the caller's own words are not used")
	}
}

func TestLoginAfterARefusal(t *testing.T) {
	html := render(t, Login(LoginView{Shell: shell("Sign in", nil, SectionNone), Username: `che"n`, Error: "Wrong.", Next: "/notes/1"}))
	for _, want := range []string{`value="che&#34;n"`, `role="alert"`, `aria-invalid="true"`, `name="next" value="/notes/1"`} {
		if !strings.Contains(html, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}

func TestWriteEvent(t *testing.T) {
	var b strings.Builder
	c := templ.Raw("<tr>\n<td>1</td>\r\n</tr>")
	if err := WriteEvent(context.Background(), &b, "7", c); err != nil {
		t.Fatal(err)
	}
	if got, want := b.String(), "id: 7\ndata: <tr>\ndata: <td>1</td> \ndata: </tr>\n\n"; got != want {
		t.Errorf("got %q; want %q", got, want)
	}
	b.Reset()
	if err := WritePing(&b, now); err != nil {
		t.Fatal(err)
	}
	if got, want := b.String(), "event: ping\ndata: 2026-03-09T14:02:31-04:00\n\n"; got != want {
		t.Errorf("got %q; want %q", got, want)
	}
}

// TestEndedView: who is signed out by the server is told, and what may be lost.
func TestEndedView(t *testing.T) {
	for view, want := range map[EndedView]string{
		{}:                         "",
		{Unused: true}:             "Nobody had used the page for a while. Sign in again to go on where you were.",
		{Unsaved: 1}:               "1 change may not have been saved before that: look at what you wrote last.",
		{Unused: true, Unsaved: 2}: "Sign in again to go on where you were. 2 changes may not have been saved",
	} {
		if got := view.text(t.Context()); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%+v says %q, want %q", view, got, want)
		}
	}
}

// TestPagesKnowWhenToLeave: with scripts, which ask first, and without.
func TestPagesKnowWhenToLeave(t *testing.T) {
	for name, page := range map[string]string{"somebody's": render(t, Worklist(worklistSample())), "nobody's": render(t, Login(LoginView{Shell: shell("Sign in", nil, SectionNone)}))} {
		for _, part := range []string{`data-left="900000" data-warn="60000"`, `<meta http-equiv="refresh" content="900; url=/login?ended=unused">`} {
			if strings.Contains(page, part) != (name == "somebody's") {
				t.Errorf("%s page holds %s: %v", name, part, strings.Contains(page, part))
			}
		}
	}
}
