package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestPagesKeepTheirPolicy in what people do with them: each violation that the browser sees fails the window, each report
// that reaches the server fails the test.
func TestPagesKeepTheirPolicy(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	note := s.newNote(t, s.token(t, "chen"))
	chen := signedIn(t, s, "chen")
	chen.do(chromedp.SendKeys(chromedp.CSS("#q"), "kelp"))
	chen.waitFor("the filter", `document.querySelectorAll('#worklist tbody tr').length === 1`)

	chen.openNote(note)
	chen.caretAtEnd(0)
	chen.do(chromedp.Evaluate[chromedp.Void](`{
		const clipboardData = new DataTransfer()
		clipboardData.setData('text/html', '<p>from <b>elsewhere</b></p><script>window.ran=1</scr' + 'ipt>')
		document.querySelector('` + noteEditor + `').dispatchEvent(new ClipboardEvent('paste', {clipboardData, bubbles: true, cancelable: true}))
	}`))
	chen.waitFor("what was pasted", `document.querySelector('`+noteEditor+` strong')?.textContent === 'elsewhere'`)
	chen.waitStatus("saved")
	if eval[bool](chen, `window.ran === 1`) {
		t.Error("a script that was pasted ran")
	}

	chen.visit("/api/docs")
	chen.waitFor("the viewer", `document.querySelectorAll('#swagger-ui .opblock').length > 5`)
	if text := eval[string](chen, `document.querySelector('#swagger-ui .info').innerText`); !strings.Contains(text, "Yjs document") {
		t.Errorf("the viewer shows no description: %q", text)
	}
	haddad := signedIn(t, s, "haddad")
	haddad.visit("/units/" + unitPath(t, haddad))
	haddad.waitFor("the board", exists("#board tbody tr"))
}
