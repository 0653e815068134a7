package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// longText is a paragraph as long as what somebody pastes without looking.
var longText = strings.Repeat("0123456789 ", 18_000)

// TestLongAbsence: who was away and comes back with more than a frame gets it
// in, whichever client they have, and everybody sees it.
func TestLongAbsence(t *testing.T) {
	t.Parallel()
	s := shared.get(t)
	for _, kind := range []string{yWebsocket, hocuspocusV4, hocuspocusV3} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			token := s.token(t, "chen")
			note := s.newNote(t, token)
			n := startNode(t)
			chen := n.connect("chen", kind, s, note, token)
			rivera := n.connect("rivera", kind, s, note, s.token(t, "rivera"))
			chen.wait(want{"synced": true})
			chen.fresh()
			rivera.wait(want{"blocks": 1, "text": ""})
			n.must("chen", "leave", nil, nil)
			const paragraphs = 9 // 1.8 MB
			for i := range paragraphs {
				n.must("chen", "append", map[string]any{"text": fmt.Sprint(i, longText)}, nil)
			}
			n.must("chen", "comeBack", nil, nil)
			rivera.wait(want{"blocks": 1 + paragraphs})
			chen.wait(want{"synced": true, "unsynced": 0})
			if a, b := chen.state(), rivera.state(); a.XML != b.XML {
				t.Errorf("documents of %d and %d bytes differ", len(a.XML), len(b.XML))
			}
			if st := chen.stats(); st.Opens != 2 || st.Refused != 0 {
				t.Errorf("%d connections, %d refusals, closes %v", st.Opens, st.Refused, st.Closes)
			}
		})
	}
}

// TestTooLongAbsence: what no note can take is refused once, and not at each
// of endless tries.
func TestTooLongAbsence(t *testing.T) {
	t.Parallel()
	s := shared.get(t)
	token := s.token(t, "chen")
	n := startNode(t)
	chen := n.connect("chen", yWebsocket, s, s.newNote(t, token), token)
	chen.wait(want{"synced": true})
	chen.fresh()
	n.must("chen", "leave", nil, nil)
	for range 24 { // 4.7 MB
		n.must("chen", "append", map[string]any{"text": longText}, nil)
	}
	n.must("chen", "comeBack", nil, nil)
	chen.wait(want{"gaveUp": true})
	if st := chen.stats(); st.Closes[len(st.Closes)-1].Code != 4413 || !strings.Contains(st.Closes[len(st.Closes)-1].Reason, "edits at once") {
		t.Errorf("closes %v", st.Closes)
	}
}

// TestPageSaysWhatIsTooLarge: a page with more than a note can take says so,
// stops trying, and keeps the text for copying.
func TestPageSaysWhatIsTooLarge(t *testing.T) {
	t.Parallel()
	s := shared.get(t)
	chen := signedIn(t, s, "chen")
	note := s.newNote(t, s.token(t, "chen"))
	chen.openNote(note)
	chen.allow("WebSocket connection to")
	chen.caretAtEnd(0)
	paste := fmt.Sprintf(`(() => {
		const data = new DataTransfer()
		data.setData('text/plain', Array(24).fill('0123456789 '.repeat(18000)).join('\n\n'))
		document.querySelector('%s').dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true}))
		return true
	})()`, noteEditor)
	eval[bool](chen, paste)
	chen.waitStatus("ended")
	alert := eval[string](chen, `document.getElementById('save-alert').textContent`)
	if !strings.Contains(alert, "larger than") || !strings.Contains(alert, "not saved: copy what you need") {
		t.Errorf("the page says %q", alert)
	}
	kept := eval[int](chen, `document.querySelector('#note-body [role=textbox]').textContent.length`)
	if kept < 24*len(longText) {
		t.Errorf("the page keeps %d characters", kept)
	}
	if text := s.text(t, s.token(t, "chen"), note); strings.Contains(text, "0123456789") {
		t.Error("some of it was saved")
	}
}
