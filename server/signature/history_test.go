package signature

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

// aHistory is of two people in two sessions.
func aHistory(rows int) History {
	h := History{From: 1}
	for i := range rows {
		r := HistoryRow{Author: uuid.UUID{15: 1}, At: time.Date(2026, 11, 23, 6, 7, i, 9000, time.UTC), Cover: HashOf([]byte{byte(i)})}
		if i > 0 {
			r.Session = uuid.UUID{15: byte(2 + i%2)}
		}
		if i > 3 {
			r.Author = uuid.UUID{15: 9}
		}
		h.Rows = append(h.Rows, r)
	}
	return h
}

// TestHistories: what is written is read, the same; whatever is changed, left out, added or moved, a row is named that does not fit, unless
// somebody makes all links anew: then the last one is another.
func TestHistories(t *testing.T) {
	h := aHistory(6)
	text := h.Text()
	const want = `tidechart-history/v1
from 1
before none
by 00000000-0000-0000-0000-000000000001 in -
2026-11-23T06:07:00.000009Z bjQLnP-zepicpUTmu3gKLHiQHT-zNzh2hRGjBhevoB0 `
	if !strings.HasPrefix(text, want) {
		t.Errorf("it is written as\n%s", text)
	}
	if back, err := ParseHistory(text); err != nil || back.Text() != text || back.End() != h.End() || len(back.Rows) != 6 {
		t.Fatalf("read as %+v, %v", back, err)
	}
	rest := History{From: 4, Before: History{From: 1, Rows: h.Rows[:3]}.End(), Rows: h.Rows[3:]}
	if back, err := ParseHistory(rest.Text()); err != nil || back.End() != h.End() {
		t.Errorf("its end is read as %+v, %v", back, err)
	}
	lines := strings.SplitAfter(text, "\n")
	for i := range text { // any one byte: it is found, or it is in the time of a row, of which only the log of acts knows
		changed := []byte(text)
		if changed[i] ^= 1; text[i] == '\n' {
			continue
		}
		back, err := ParseHistory(string(changed))
		for k := range back.Rows {
			back.Rows[k].At = h.Rows[k].At
		}
		if err == nil && back.Text() != text {
			t.Fatalf("byte %d of\n%s\nis %q, and nothing is found", i, text, changed[i])
		}
	}
	for name, tt := range map[string]struct{ old, by, want string }{
		"a row is left out":           {lines[8], "", "row 3 "},
		"a row is there twice":        {lines[8], lines[8] + lines[8], "row 4 "},
		"rows change places":          {lines[4] + lines[5] + lines[6], lines[6] + lines[5] + lines[4], "row 1 "},
		"a row is somebody else's":    {"by 00000000-0000-0000-0000-000000000009", "by 00000000-0000-0000-0000-000000000008", "row 5 "},
		"a row is of another sitting": {"in 00000000-0000-0000-0000-000000000002", "in 00000000-0000-0000-0000-000000000007", "row 3 "},
		"another cover":               {"2026-11-23T06:07:01.000009Z S", "2026-11-23T06:07:01.000009Z T", "row 2 "},
		"the first row is left out":   {"from 1\nbefore none\n" + lines[3] + lines[4], "from 2\nbefore " + HashOf(nil).String() + "\n", "row 2 "},
		"another version":             {"history/v1", "history/v2", "cannot be read"},
		"nothing":                     {text, "", "cannot be read"},
		"a row of nobody":             {lines[3], "", "row 1 "},
		"a line more":                 {lines[5], lines[5] + lines[5], "cannot be read"},
	} {
		changed := strings.Replace(text, tt.old, tt.by, 1)
		if changed == text {
			t.Fatalf("%s: there is no %q in\n%s", name, tt.old, text)
		}
		if _, err := ParseHistory(changed); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
	anew := aHistory(6)
	anew.Rows[2].Cover[0]++
	if back, err := ParseHistory(anew.Text()); err != nil || back.End() == h.End() {
		t.Errorf("with other links: %v", err)
	}
}

// TestHistoriesAndTheLogOfActs: a history passes what the log of acts says of it, and its rows came when it says; else the first rows are named that
// cannot be those.
func TestHistoriesAndTheLogOfActs(t *testing.T) {
	note, h := uuid.UUID{15: 7}, aHistory(6)
	end := func(n int) Hash { return History{From: 1, Rows: h.Rows[:n]}.End() }
	at := func(n int) time.Time { return h.Rows[n-1].At }
	good := []anchor{{10, 1, end(1), at(1)}, {11, 4, end(4), at(4)}, {12, 6, end(6), at(6)}}
	signed := Statement{Note: note, Seq: 6, Chain: end(6), At: at(6)}
	for name, tt := range map[string]struct {
		change  func(h *History)
		anchors []anchor
		want    string
	}{
		"as it was":                          {anchors: good},
		"without the log of acts":            {},
		"cut off":                            {change: func(h *History) { h.Rows = h.Rows[:5] }, anchors: good, want: "ends with row 5, and row 6 was signed"},
		"longer":                             {change: func(h *History) { h.Rows = append(h.Rows, h.Rows[0]) }, anchors: good, want: "ends with row 7, and row 6 was signed"},
		"a row changed, and all links":       {change: func(h *History) { h.Rows[2].Cover[0]++ }, anchors: good, want: "rows 2 to 4 of its history are not those that the log of acts has"},
		"the same, without the log of acts":  {change: func(h *History) { h.Rows[2].Cover[0]++ }, want: "rows 1 to 6 of its history are not those that were signed"},
		"a row behind the last of the log's": {change: func(h *History) { h.Rows[4].Author[0]++ }, anchors: good[:2], want: "rows 5 to 6 of its history are not those that were signed"},
		"another note's log":                 {anchors: []anchor{{10, 2, HashOf(nil), at(2)}}, want: "rows 1 to 2 of its history are not those that the log of acts has"},
		"a log that was longer":              {anchors: []anchor{{10, 9, HashOf(nil), at(6)}}, want: "rows 7 to 9 of its history"},
		"a row that came later":              {change: func(h *History) { h.Rows[2].At = at(6).Add(2 * time.Minute) }, anchors: good, want: "row 3 of its history did not come at that time"},
		"a row that came earlier":            {change: func(h *History) { h.Rows[2].At = at(1).Add(-2 * time.Minute) }, anchors: good, want: "row 3 of its history did not come at that time"},
		"a row behind the signature":         {change: func(h *History) { h.Rows[5].At = at(6).Add(2 * time.Minute) }, want: "row 6 of its history did not come at that time"},
		"its end alone":                      {change: func(h *History) { h.From, h.Before, h.Rows = 5, end(4), h.Rows[4:] }, anchors: good},
		"nothing but where it ends":          {change: func(h *History) { h.From, h.Before, h.Rows = 7, end(6), nil }, anchors: good},
		"its end, behind another beginning":  {change: func(h *History) { h.From, h.Before, h.Rows = 5, end(3), h.Rows[4:] }, anchors: good, want: "rows 4 to 4 of its history are not those that the log of acts has"},
	} {
		own := aHistory(6)
		if tt.change != nil {
			tt.change(&own)
		}
		v := verifier{anchors: map[uuid.UUID][]anchor{note: tt.anchors}}
		r, says := v.history(BundleNote{Note: note, History: own.Text()}, signed)
		if tt.want == "" && (says != "" || r.To != 6 || r.From != own.From || r.Entries > len(tt.anchors)) || tt.want != "" && !strings.Contains(says, tt.want) {
			t.Errorf("%s: %q, %+v; want %q", name, says, r, tt.want)
		}
	}
}

// FuzzHistory: whatever a text says, it is read within bounds, and what is read is written as it was.
func FuzzHistory(f *testing.F) {
	f.Add(aHistory(3).Text())
	f.Fuzz(func(t *testing.T, text string) {
		if h, err := ParseHistory(text); err == nil && h.Text() != text {
			t.Fatalf("%q is written as %q", text, h.Text())
		}
	})
}

// BenchmarkNextLink is one row.
func BenchmarkNextLink(b *testing.B) {
	var link Hash
	b.ReportAllocs()
	for i := uint64(0); b.Loop(); i++ {
		link = NextLink(link, i, uuid.UUID{1}, uuid.UUID{2}, link)
	}
}
