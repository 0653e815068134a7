package web

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/a-h/templ"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/clisonix/tidechart/internal/needs"
)

var shots = flag.String("shots", "", "directory to write screenshots of all sample pages to")

// gallery serves the sample pages under the policy and keeps its reports.
type gallery struct {
	*httptest.Server
	mu      sync.Mutex
	reports []string
}

func newGallery(t *testing.T) *gallery {
	g := &gallery{}
	mux := http.NewServeMux()
	mux.Handle("GET /assets/", Assets())
	mux.HandleFunc("POST /csp-report", func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(io.LimitReader(r.Body, 1<<16))
		g.mu.Lock()
		defer g.mu.Unlock()
		g.reports = append(g.reports, string(b))
	})
	for path, more := range map[string]string{"/openapi.json": "", "/hostile.json": `<img src=x onerror=\"window.ran=1\">`} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"openapi":"3.1.0","info":{"title":"Tidechart","version":"1","description":"All **notes**.`+more+`"},"paths":{"/api/v1/notes":{"get":{"summary":"List notes","responses":{"200":{"description":"the notes"}}}}}}`)
		})
	}
	mux.HandleFunc("GET /units/{id}/events", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		beds := boardSample().Beds
		beds[3].Patient = &patients[3]
		u := BoardUpdate{AsOf: now.Add(7 * time.Second), Now: now, CanReadNotes: true, Beds: beds[3:4], Totals: TotalsOf(beds)}
		if err := WriteEvent(r.Context(), w, "1", BoardEvent(u)); err != nil {
			t.Error(err)
		}
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) {
		v := worklistSample()
		v.Query, v.Unit = r.PostFormValue("q"), r.PostFormValue("unit")
		v.Rows = slices.DeleteFunc(v.Rows, func(p PatientRow) bool { return !strings.Contains(p.Family, v.Query) })
		v.Found = len(v.Rows)
		nonce := rand.Text()
		w.Header().Set("Content-Security-Policy", Policy(nonce))
		if err := Worklist(v).Render(templ.WithNonce(r.Context(), nonce), w); err != nil {
			t.Error(err)
		}
	})
	pages := samplePages()
	pages["/api/docs/hostile"] = APIDocs(APIDocsView{Shell: shell("HTTP API", &chen, SectionAPI), SpecURL: "/hostile.json"})
	for path, page := range pages {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			policy, nonce := Policy, rand.Text()
			if strings.HasPrefix(path, "/api/docs") {
				policy = DocsPolicy
			}
			w.Header().Set("Content-Security-Policy", policy(nonce))
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			if err := page.Render(templ.WithNonce(r.Context(), nonce), w); err != nil {
				t.Error(err)
			}
		})
	}
	g.Server = httptest.NewServer(mux)
	t.Cleanup(g.Close)
	return g
}

func browser(t *testing.T) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("opens a browser; make test does")
	}
	path, err := needs.Chromium()
	if err != nil {
		needs.Missing(t, err.Error())
	}
	ctx, stop := chromedp.NewExecAllocator(t.Context(),
		chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("hide-scrollbars", true))
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	ctx, stop = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(stop)
	return ctx
}

// look is a way in which pages are looked at.
type look struct {
	scheme string
	width  int64
}

var looks = []look{{"light", 1280}, {"dark", 1280}, {"light", 360}, {"dark", 360}}

// TestPagesInABrowser opens every page in light and dark, wide and narrow:
// axe must find nothing, the policy must not be broken, and nothing may
// scroll sideways.
func TestPagesInABrowser(t *testing.T) {
	ctx := browser(t)
	axe, err := os.ReadFile(filepath.Join("..", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		needs.Missing(t, "no npm package axe-core")
	}
	g := newGallery(t)
	for _, path := range slices.Sorted(maps.Keys(samplePages())) {
		t.Run(strings.TrimPrefix(path, "/"), func(t *testing.T) {
			visit(t, ctx, g, path, string(axe))
		})
	}
}

// findings are axe's. Swagger UI's own markup is not ours to mend: it brings a
// second main landmark, which is reported at ours, and its own colours.
// The toolbar, which waits for a live note, is shown to it as well.
const findings = `(async () => {
	const options = %s;
	document.getElementById('toolbar')?.removeAttribute('hidden');
	const viewer = document.getElementById('swagger-ui') !== null;
	const off = viewer ? ['landmark-no-duplicate-main', 'landmark-unique'] : [];
	const rules = Object.fromEntries(off.map(id => [id, {enabled: false}]));
	const r = await axe.run(viewer ? {exclude: [['#swagger-ui']]} : document, {resultTypes: ['violations'], ...options, ...(options.runOnly ? {} : {rules})});
	return r.violations.flatMap(v => v.nodes.map(n => v.id + ': ' + n.target + ' ' + n.failureSummary));
})()`

// visit opens a page once, and looks at it in all ways: for what depends on its colours alone it is not read anew as a whole.
func visit(t *testing.T, ctx context.Context, g *gallery, path, axe string) {
	run := func(a ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(ctx, a...); err != nil {
			t.Fatal(err)
		}
	}
	run(chromedp.EmulateViewport(looks[0].width, 900), inScheme(looks[0].scheme), chromedp.Navigate(g.URL+path))
	if err := loaded(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[json.RawMessage](axe+";1")); err != nil {
		t.Fatal(err)
	}
	// What is folded away keeps the colours of the theme that it was folded in.
	run(chromedp.Evaluate[chromedp.Void](`document.querySelectorAll('details').forEach(d => { d.open = true })`))
	for _, l := range looks {
		run(chromedp.EmulateViewport(l.width, 900), inScheme(l.scheme),
			chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.documentElement.classList.toggle('dark', %v)`, l.scheme == "dark")))
		if *shots != "" {
			shoot(t, ctx, path, l)
		}
		options := `{}`
		if l.scheme == "dark" {
			options = `{runOnly: ['color-contrast', 'link-in-text-block']}`
		}
		found, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](fmt.Sprintf(findings, options), chromedp.EvalAwaitPromise))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			t.Errorf("%s, %d: axe: %s", l.scheme, l.width, f)
		}
		// Shown with the toolbar: what the page needs of width when it is live.
		over, err := chromedp.Run(ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`))
		if err != nil {
			t.Fatal(err)
		}
		if over > 0 {
			t.Errorf("the page scrolls sideways by %d px at a width of %d", over, l.width)
		}
	}
	g.kept(t)
}

// inScheme tells pages what the system prefers.
func inScheme(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}},
		})
		return err
	})
}

// loaded waits until a page is there as it will be seen. While one takes the place of another, the browser may look for
// the one that is gone; then it is asked again.
func loaded(ctx context.Context) error {
	for {
		_, err := chromedp.Run(ctx, chromedp.Poll[bool](`document.readyState === 'complete' && document.fonts.status === 'loaded'`))
		if err == nil || ctx.Err() != nil || !strings.Contains(err.Error(), "Cannot find context") {
			return err
		}
	}
}

// kept fails the test if a page has broken its policy.
func (g *gallery) kept(t *testing.T) {
	t.Helper()
	for _, r := range g.broken() {
		t.Errorf("policy broken: %s", r)
	}
}

// broken returns the reports that have come since it was called last.
func (g *gallery) broken() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	reports := g.reports
	g.reports = nil
	return reports
}

func shoot(t *testing.T, ctx context.Context, path string, l look) {
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("%s-%s-%d.png", strings.ReplaceAll(strings.Trim(path, "/"), "/", "-"), l.scheme, l.width)
	if err := os.WriteFile(filepath.Join(*shots, name), png, 0o644); err != nil {
		t.Fatal(err)
	}
}

// settled waits for a condition in the page and fails with what it was for.
func settled(t *testing.T, ctx context.Context, what, condition string) {
	t.Helper()
	ctx, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](condition)); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// TestWorklistFilters types a name: the list shrinks, the page stays, and the
// name does not stand in the address.
func TestWorklistFilters(t *testing.T) {
	ctx := browser(t)
	g := newGallery(t)
	if err := chromedp.Do(ctx, chromedp.Navigate(g.URL+"/"), chromedp.SendKeys(chromedp.CSS("#q"), "Nguy")); err != nil {
		t.Fatal(err)
	}
	settled(t, ctx, "one patient is left", `document.querySelectorAll('#worklist tbody tr').length === 1`)
	settled(t, ctx, "the count says so", `document.querySelector('#worklist .count').textContent.trim() === '1 patient'`)
	settled(t, ctx, "the field keeps focus and text", `document.activeElement.id === 'q' && document.activeElement.value === 'Nguy'`)
	address, err := chromedp.Run(ctx, chromedp.Location())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(address, "Nguy") {
		t.Errorf("the address is %s", address)
	}
	choose := `(() => { const u = document.getElementById('unit'); u.value = '4w'; u.dispatchEvent(new Event('input', {bubbles: true})); return true })()`
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](choose)); err != nil {
		t.Fatal(err)
	}
	settled(t, ctx, "a unit is chosen: rows no longer name it", `document.querySelector('#worklist td.bed small') === null`)
	g.kept(t)
}

// TestBoardFollowsItsStream waits for what the stream sends: a patient in an
// empty bed, the totals, the time.
func TestBoardFollowsItsStream(t *testing.T) {
	ctx := browser(t)
	g := newGallery(t)
	if err := chromedp.Do(ctx, chromedp.Navigate(g.URL+"/board")); err != nil {
		t.Fatal(err)
	}
	settled(t, ctx, "the bed is taken", `document.querySelector('#bed-b4').textContent.includes('ADEYEMI, Folasade')`)
	settled(t, ctx, "the totals follow", `document.querySelector('#board-totals').textContent.startsWith('5 of 5 beds')`)
	settled(t, ctx, "the time follows", `document.querySelector('#board-as-of').textContent.includes('14:02:38')`)
	settled(t, ctx, "rows stay in their order", `[...document.querySelectorAll('#board tbody tr')].map(r => r.id).join() === 'bed-b1,bed-b2,bed-b3,bed-b4,bed-b5'`)
	settled(t, ctx, "what is to be done takes the focus", `(document.querySelector('#board-totals a').focus(), document.activeElement.closest('#board-totals') !== null)`)
	g.CloseClientConnections()
	settled(t, ctx, "a broken stream is shown", `!document.querySelector('#board-stale').hidden || document.querySelector('#board').classList.contains('stale')`)
	settled(t, ctx, "it comes back by itself", `document.querySelector('#board-stale').hidden`)
	settled(t, ctx, "the totals have come again, and the focus stayed", `document.querySelector('#board-totals').textContent.startsWith('5 of 5 beds') && document.activeElement.closest('#board-totals') !== null`)
}

// TestPolicyBites: what somebody could get into a page does not run, in the browser that enforces it.
func TestPolicyBites(t *testing.T) {
	ctx := browser(t)
	g := newGallery(t)
	if err := chromedp.Do(ctx, chromedp.Navigate(g.URL+"/note")); err != nil {
		t.Fatal(err)
	}
	// Evaluated text has rights of its own; what a script of the page would do runs from a timer.
	for _, attack := range []struct{ name, script, directive string }{
		{"markup from text", `document.createElement('div').innerHTML = '<b>x</b>'`, "require-trusted-types-for"},
		{"a policy of one's own", `trustedTypes.createPolicy('mine', {createHTML: s => s})`, "trusted-types"},
		{"an inline script", `{ const s = document.createElement('script'); s.append('window.ran = 1'); document.body.append(s) }`, "require-trusted-types-for"},
		{"a script by its address", `{ const s = document.createElement('script'); s.src = '/assets/evil.js'; document.body.append(s) }`, "require-trusted-types-for"},
		{"code from text", `(0, eval)('window.ran = 1')`, ""},
		{"a handler", `document.body.setAttribute('onclick', 'window.ran = 1')`, "require-trusted-types-for"},
		{"a frame", `{ const f = document.createElement('iframe'); f.src = '/login'; document.body.append(f) }`, "frame-src"},
		{"another base", `{ const b = document.createElement('base'); b.href = 'https://evil.example/'; document.head.append(b) }`, "base-uri"},
		{"another site", `fetch('https://evil.example/').catch(() => {})`, "connect-src"},
		{"an inline style", `document.body.setAttribute('style', 'color: red')`, "style-src"},
	} {
		seen := `new Promise(resolve => {
			const done = d => resolve(d)
			document.addEventListener('securitypolicyviolation', e => done(e.effectiveDirective), {once: true})
			setTimeout(() => { try { ` + attack.script + ` } catch {} }, 0)
			setTimeout(() => done(window.ran ? 'it ran' : 'nothing'), 3000)
		})`
		directive, err := chromedp.Run(ctx, chromedp.Evaluate[string](seen, chromedp.EvalAwaitPromise))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(directive, attack.directive) || directive == "it ran" || directive == "nothing" {
			t.Errorf("%s: the browser says %q, want %s", attack.name, directive, attack.directive)
		}
	}
	if len(g.broken()) == 0 {
		t.Error("nothing was reported")
	}
}

// TestDocsUnderPolicy: the viewer shows the document, and runs nothing of it.
func TestDocsUnderPolicy(t *testing.T) {
	ctx := browser(t)
	g := newGallery(t)
	if err := chromedp.Do(ctx, chromedp.Navigate(g.URL+"/api/docs/hostile")); err != nil {
		t.Fatal(err)
	}
	settled(t, ctx, "the operation is listed", `document.querySelector('#swagger-ui .opblock')?.textContent.includes('List notes')`)
	settled(t, ctx, "the description is drawn", `document.querySelector('#swagger-ui .renderedMarkdown strong, #swagger-ui .markdown strong')?.textContent === 'notes'`)
	ran, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`window.ran === 1`))
	if err != nil || ran {
		t.Errorf("the description's script ran: %v, %v", ran, err)
	}
	for _, r := range g.broken() {
		if !strings.Contains(r, `"effective-directive":"script-src-attr"`) { // the description's
			t.Errorf("policy broken: %s", r)
		}
	}
}
