package e2e

import (
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// TestComposing: what an input method composes, as for Japanese or on a phone,
// stands in the note once, whatever colleagues write beside it meanwhile, and
// so does what they write.
func TestComposing(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	token := s.token(t, "chen")
	n := startNode(t)
	chen := signedIn(t, s, "chen")
	begin := func(t *testing.T) *yclient {
		note := s.newNote(t, token)
		rivera := n.connect(t.Name(), hocuspocusV4, s, note, s.token(t, "rivera"))
		rivera.wait(want{"synced": true})
		rivera.fresh()
		rivera.insert(0, "Plan: rest")
		rivera.wait(want{"unsynced": 0})
		chen.openNote(note)
		chen.waitText("Plan: rest")
		chen.caretAtEnd(0)
		return rivera
	}
	says := func(t *testing.T, rivera *yclient, text string) {
		t.Helper()
		chen.waitText(text)
		chen.waitStatus("saved")
		rivera.wait(want{"text": text})
		rivera.close()
	}

	t.Run("alone", func(t *testing.T) {
		rivera := begin(t)
		chen.composes("k", "か", "かn", "かん")
		chen.inserts("肝")
		says(t, rivera, "Plan: rest肝")
	})
	t.Run("beside a colleague in the same line", func(t *testing.T) {
		rivera := begin(t)
		chen.composes("k", "か")
		rivera.insert(0, "1. ")
		rivera.wait(want{"unsynced": 0})
		chen.composes("かn", "かん")
		rivera.insert(len("1. Plan: "), "bed ")
		rivera.wait(want{"unsynced": 0})
		chen.composes("かんぞう")
		chen.inserts("肝臓")
		says(t, rivera, "1. Plan: bed rest肝臓")
	})
	t.Run("given up", func(t *testing.T) {
		rivera := begin(t)
		chen.composes("k", "か")
		rivera.insert(0, "1. ")
		rivera.wait(want{"unsynced": 0})
		chen.composes("")
		says(t, rivera, "1. Plan: rest")
	})
	t.Run("left begun", func(t *testing.T) {
		rivera := begin(t)
		chen.composes(" until")
		rivera.insert(0, "1. ")
		chen.waitContains("1. ")
		chen.caretAtEnd(0)
		chen.types(" noon")
		says(t, rivera, "1. Plan: rest until noon")
	})
	t.Run("word after word, as a phone does", func(t *testing.T) {
		rivera := begin(t)
		for _, word := range []string{" until", " Monday"} {
			for i := range word {
				chen.composes(word[:i+1])
				rivera.insert(0, "x")
				rivera.wait(want{"unsynced": 0})
			}
			chen.inserts(word)
		}
		says(t, rivera, "xxxxxxxxxxxxxPlan: rest until Monday")
	})
}

// composes has the input method show each of the texts, one after the other,
// in place of the one before.
func (w *window) composes(texts ...string) {
	w.t.Helper()
	for _, text := range texts {
		at := int64(len([]rune(text)))
		if _, err := chromedp.Call(w.ctx, input.ImeSetComposition, input.ImeSetCompositionParams{Text: text, SelectionStart: at, SelectionEnd: at}); err != nil {
			w.t.Fatal(err)
		}
	}
}

// inserts has the input method put text in place of what it composed.
func (w *window) inserts(text string) {
	w.t.Helper()
	if _, err := chromedp.Call(w.ctx, input.InsertText, input.InsertTextParams{Text: text}); err != nil {
		w.t.Fatal(err)
	}
}
