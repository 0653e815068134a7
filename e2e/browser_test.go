package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/clisonix/tidechart/internal/needs"
)

// chromium is one browser for all tests; each window is a browser context of
// its own, so that each has its own cookies.
var chromium struct {
	once sync.Once
	ctx  context.Context
	stop context.CancelFunc
	err  error
}

func startChromium() {
	path, err := needs.Chromium()
	if err != nil {
		chromium.err = err
		return
	}
	opts := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.WindowSize(1280, 900),
	}
	for _, flag := range []string{
		"disable-quic", "disable-background-networking", "disable-component-update", "disable-sync",
		"disable-dev-shm-usage", "disable-extensions", "mute-audio", "hide-scrollbars",
		// Windows that are not in front must keep their pace.
		"disable-background-timer-throttling", "disable-backgrounding-occluded-windows", "disable-renderer-backgrounding",
	} {
		opts = append(opts, chromedp.Flag(flag, true))
	}
	opts = append(opts, chromedp.Flag("force-color-profile", "srgb"), chromedp.Flag("ignore-certificate-errors-spki-list", trusted()))
	alloc, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	chromium.stop = stop
	chromium.ctx, _ = chromedp.NewContext(alloc)
	chromium.err = chromedp.Do(chromium.ctx)
}

// stopChromium ends the browser after the last test.
func stopChromium() {
	if chromium.ctx != nil {
		_ = chromedp.Cancel(chromium.ctx) // it asks the browser to close; what is left is killed
		chromium.stop()
	}
}

// window is a browser window with cookies of its own. Whatever its console
// says in error, and each violation of the page's policy, fails the test.
type window struct {
	t    *testing.T
	s    *server
	name string
	ctx  context.Context

	close func() // closes the window and judges its console; once

	mu       sync.Mutex
	problems []string
	allowed  []string // substrings of problems that the test causes itself
}

// reportViolations tells the console of each violation that the page's policy
// reports, with the element that caused it.
const reportViolations = `document.addEventListener('securitypolicyviolation', e =>
	console.error('CSP violation: ' + e.violatedDirective + ' ' + e.blockedURI + ' ' + (e.sample || '') + ' in ' + e.sourceFile))`

// openWindow opens an empty window that closes with the test.
func openWindow(t *testing.T, s *server, name string) *window {
	t.Helper()
	chromium.once.Do(startChromium)
	if chromium.err != nil {
		t.Fatalf("start Chromium: %v", chromium.err)
	}
	ctx, cancel := chromedp.NewContext(chromium.ctx, chromedp.WithNewBrowserContext())
	return watchWindow(t, s, name, ctx, cancel)
}

// tab opens another window of the same browser: the cookies are shared.
func (w *window) tab(name string) *window {
	w.t.Helper()
	ctx, cancel := chromedp.NewContext(w.ctx)
	return watchWindow(w.t, w.s, name, ctx, cancel)
}

func watchWindow(t *testing.T, s *server, name string, ctx context.Context, cancel context.CancelFunc) *window {
	t.Helper()
	// Input that is told while its login's secret is renewed is refused, and the page asks again.
	w := &window{t: t, s: s, name: name, ctx: ctx, allowed: []string{"401 (Unauthorized) (" + s.url + "/login/input"}}
	messages := chromedp.Console(ctx)
	collected := make(chan struct{})
	go func() {
		defer close(collected)
		for m, err := range messages {
			if err != nil {
				return
			}
			w.record(m)
		}
	}()
	w.close = sync.OnceFunc(func() {
		if t.Failed() {
			w.screenshot(filepath.Join("artifacts", strings.ReplaceAll(t.Name(), "/", "-")+"-"+name+".png"))
		}
		cancel()
		<-collected
		w.checkConsole()
	})
	t.Cleanup(w.close)
	w.onEachPage(reportViolations)
	return w
}

// onEachPage runs a script on each page that the window loads from now on, before the page's own.
func (w *window) onEachPage(script string) {
	w.t.Helper()
	_, err := chromedp.Call(w.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *window) record(m chromedp.ConsoleMessage) {
	if m.Type != chromedp.ConsoleError && !m.IsException() {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.problems = append(w.problems, fmt.Sprintf("%s %s (%s:%d)", m.Type, m.Text, m.URL, m.Line))
}

// allow accepts console errors that hold text: the test provokes them.
func (w *window) allow(text ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.allowed = append(w.allowed, text...)
}

func (w *window) checkConsole() {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
next:
	for _, p := range w.problems {
		for _, a := range w.allowed {
			if strings.Contains(p, a) {
				continue next
			}
		}
		w.t.Errorf("console of %s's window: %s", w.name, p)
	}
}

// do runs steps in the window, one after the other, within patience.
func (w *window) do(steps ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	for _, step := range steps {
		if err := again(ctx, func() error { return chromedp.Do(ctx, step) }); err != nil {
			w.t.Fatalf("%s's window: %v", w.name, err)
		}
	}
}

// again does a step, anew for as long as the page replaces the element under
// it: a person would reach for the new one. It has done nothing then.
func again(ctx context.Context, step func() error) error {
	for {
		err := step()
		if err == nil || ctx.Err() != nil || !strings.Contains(strings.ToLower(err.Error()), "node with given id") { // there is none, or it is not found
			return err
		}
	}
}

// eval evaluates an expression, awaiting a promise.
func eval[T any](w *window, expression string) T {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		w.t.Fatalf("%s's window: %v in %s", w.name, err, expression)
	}
	return v
}

// waitFor waits until the expression is true, looking at each change of the
// page, each input and each message.
func (w *window) waitFor(what, expression string) {
	w.t.Helper()
	if err := w.tryFor(expression); err != nil {
		w.t.Fatalf("%s's window waits for %s: %v\npage: %s", w.name, what, err, w.summary())
	}
}

func (w *window) tryFor(expression string) error {
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	for {
		_, err := chromedp.Run(ctx, chromedp.Poll[bool](expression, chromedp.WithPollingTimeout(patience)))
		if err == nil || ctx.Err() != nil || !gaveWay(err) {
			return err
		}
	}
}

// gaveWay is whether the page gave way to another while it was looked at.
func gaveWay(err error) bool {
	return strings.Contains(err.Error(), "Cannot find context with specified id") || // when it began
		strings.Contains(err.Error(), "Inspected target navigated or closed")
}

// summary is what the page shows, for a failure's message.
func (w *window) summary() string {
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + "\n" + document.body.innerText.slice(0, 1500)`))
	if err != nil {
		return err.Error()
	}
	return text
}

func (w *window) screenshot(path string) {
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err == nil {
		if err = os.MkdirAll(filepath.Dir(path), 0o755); err == nil {
			err = os.WriteFile(path, png, 0o644)
		}
	}
	if err != nil {
		w.t.Logf("screenshot of %s's window: %v", w.name, err)
	}
}

// waitReloading loads the page again until the expression is true.
func (w *window) waitReloading(what, expression string) {
	w.t.Helper()
	deadline := time.Now().Add(patience)
	for !eval[bool](w, expression) {
		if time.Now().After(deadline) {
			w.t.Fatalf("%s's window waits for %s\npage: %s", w.name, what, w.summary())
		}
		w.do(chromedp.Reload())
	}
}
