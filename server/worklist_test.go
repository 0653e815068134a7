package server_test

import (
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clisonix/tidechart/server/store"
)

var tabCount = regexp.MustCompile(`(?s)<a href="([^"]+)"[^>]*>\s*([A-Za-z ]+?)\s*<span class="tab-count">(\d+)</span>`)

// tabs are the parts of the worklist that a page leads to, with their counts.
func tabs(page string) map[string]string {
	found := map[string]string{}
	for _, m := range tabCount.FindAllStringSubmatch(page, -1) {
		found[m[2]] = m[1] + " " + m[3]
	}
	return found
}

var rowName = regexp.MustCompile(`(?s)<th scope="row" class="name">\s*([^<]+?)\s*<`)

// names are the patients of a worklist, in its order.
func names(page string) (all []string) {
	for _, m := range rowName.FindAllStringSubmatch(page, -1) {
		all = append(all, m[1])
	}
	return all
}

// TestWorklistParts: one's unit, one's own, and what others have written since one looked, each with its count; what is looked for stands
// in no address, and all else does.
func TestWorklistParts(t *testing.T) {
	h := open(t)
	chen, brandt, lindqvist := h.signIn("chen"), h.signIn("brandt"), h.signIn("lindqvist")
	_, page, _ := h.get(chen, "/")
	if n := len(names(page)); n != 17 || tabs(page)["My unit"] != "/ 17" || tabs(page)["Changed since I looked"] != "/?show=changed 0" || !strings.HasPrefix(tabs(page)["Unsigned"], "/unsigned ") {
		t.Errorf("%d patients, and %v", n, tabs(page))
	}
	_, page, _ = h.get(chen, "/?show=changed")
	says(t, "what has changed", page, "Nothing has changed since you looked")

	// Her own: whom she has begun notes about, wherever they lie now, and whose team she is on. Others of those units she does not see.
	_, mine, _ := h.get(chen, "/?show=mine")
	want := h.count(`SELECT count(DISTINCT stay.patient_id) FROM stay LEFT JOIN note ON note.patient_id = stay.patient_id AND note.created_by = $1
	                 LEFT JOIN care_team ON care_team.patient_id = stay.patient_id AND care_team.person_id = $1
	                 WHERE note.id IS NOT NULL OR care_team.person_id IS NOT NULL`, h.id("chen"))
	if got := len(names(mine)); got != want || want < 2 || !strings.Contains(mine, "Intensive Care") {
		t.Errorf("%d patients are hers, want %d", got, want)
	}
	if _, page, _ := h.get(chen, "/?unit=icu"); len(names(page)) != 0 {
		t.Error("she cares for nobody on the other unit, and sees", names(page))
	}
	if _, page, _ := h.get(brandt, "/?show=mine"); len(names(page)) != 0 || !strings.Contains(page, "Nobody is on your own list yet") || !strings.Contains(page, `href="/"`) {
		t.Error("his own:", names(page))
	}
	if _, page, _ := h.get(lindqvist, "/"); len(tabs(page)) != 0 || len(names(page)) < 40 {
		t.Errorf("the privacy officer has %d patients and %v", len(names(page)), tabs(page))
	}

	// A colleague writes in a note that she has seen.
	h.get(chen, "/notes/"+h.note.String())
	h.line("rivera", "Slept well.")
	_, page, _ = h.get(chen, "/?show=changed")
	if got := names(page); len(got) != 1 || strings.Count(page, `href="/notes/`) != 2 || tabs(page)["Changed since I looked"] != "/?show=changed 1" {
		t.Errorf("changed: %v, %v", got, tabs(page))
	}
	says(t, "what has changed", page, "1 note of 1 patient", `href="/notes/`+h.note.String()+`/changes"`)
	if _, list, _ := h.get(chen, "/unsigned"); tabs(list)["Changed since I looked"] != "/?show=changed 1" {
		t.Errorf("beside it: %v", tabs(list))
	}
	h.get(chen, "/notes/"+h.note.String())
	if _, page, _ := h.get(chen, "/?show=changed"); len(names(page)) != 0 {
		t.Error("what she has seen since is still there")
	}
	h.types("chen", "Mine.")
	if _, page, _ := h.get(chen, "/?show=changed"); len(names(page)) != 0 {
		t.Error("what she wrote herself is new to her")
	}
}

// TestWorklistIsAskedFor: by filter, order and unit; what cannot be asked for is as if nobody had.
func TestWorklistIsAskedFor(t *testing.T) {
	h := open(t)
	chen := h.signIn("chen")
	_, page, _ := h.get(chen, "/?sort=name&show=nothing%00")
	if got := names(page); len(got) != 17 || !slices.IsSortedFunc(got, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) }) {
		t.Errorf("by name: %v", got)
	}
	h.line("rivera", "Slept well.")
	_, page, _ = h.get(chen, "/?sort=written")
	if !strings.Contains(firstRow(page), h.note.String()) {
		t.Errorf("the last written about is %q", names(page)[0])
	}
	for path, want := range map[string]int{"/?unit=mars": 404, "/?unit=%00": 404, "/?sort=%27": 200, "/?unit=icu": 200} {
		if status, _, _ := h.get(chen, path); status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
	for form, want := range map[string]string{
		"q=&show=changed&unit=&sort=name": "/?show=changed&sort=name", "q=+&show=&unit=4-west": "/", "unit=&show=": "/?unit=", "show=mine&unit=icu": "/?show=mine&unit=icu",
	} {
		values, err := url.ParseQuery(form)
		if err != nil {
			t.Fatal(err)
		}
		status, _, header := h.submit(chen, "/", values)
		if to := header.Get("Location"); status != http.StatusSeeOther || to != want {
			t.Errorf("%s: %d to %q, want %q", form, status, to, want)
		}
	}
	status, page := h.post(chen, "/", url.Values{"q": {"kelp bruno"}, "show": {""}, "unit": {"4-west"}, "sort": {"name"}})
	if got := names(page); status != http.StatusOK || len(got) != 1 || !strings.HasPrefix(got[0], "KELPWELL") || !strings.Contains(page, `data-address="/?sort=name"`) {
		t.Errorf("the filter: %d, %v", status, got)
	}
	_, page = h.post(chen, "/", url.Values{"q": {"nobody <b>"}})
	says(t, "no match", page, "No patient matches “nobody &lt;b&gt;”", "Show all patients")
}

// firstRow is the first row of a page's table.
func firstRow(page string) string {
	_, rest, _ := strings.Cut(page, "<tbody>")
	row, _, _ := strings.Cut(rest, "</tr>")
	return row
}

var manyPatients = flag.Int("worklist.patients", 210, "how many patients the worklist is tried with")

// TestWorklistOfManyPatients: it shows two hundred, says so, and finds any; -v says how soon.
func TestWorklistOfManyPatients(t *testing.T) {
	h := open(t)
	for left, first := *manyPatients, true; left > 0; left, first = left-200, false {
		name := ""
		if first {
			name = "Big"
		}
		if err := h.db.AddUnit(t.Context(), store.NewUnit{ID: "big", Name: name, Beds: min(left, 200)}); err != nil {
			t.Fatal(err)
		}
	}
	h.sql(`UPDATE person SET unit_id = 'big' WHERE username = 'chen'`)
	for i := range *manyPatients {
		p := store.Patient{Mrn: fmt.Sprintf("Z-%04d", i), Family: fmt.Sprintf("Tide%04d", i), Given: "Ada", BirthDate: time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC)}
		if _, err := h.db.PutPatient(t.Context(), p, fmt.Sprintf("big-%02d", i+1)); err != nil {
			t.Fatal(err)
		}
	}
	h.sql(`INSERT INTO note (id, patient_id, unit_id, kind, title, head, chain, created_by, created_at, edited_at)
	       SELECT gen_random_uuid(), stay.patient_id, 'big', 'progress', 'Progress note', note.head, note.chain, note.created_by, now(), now()
	         FROM stay JOIN bed ON bed.id = stay.bed_id, note, generate_series(1, 2) WHERE bed.unit_id = 'big' AND note.id = $1`, h.note)
	chen := h.signIn("chen")
	h.get(chen, "/") // opens what is in memory from then on
	began := time.Now()
	_, page, _ := h.get(chen, "/")
	whole := time.Since(began)
	says(t, "the page", page, fmt.Sprintf("%d patients; the first 200 are shown: narrow the filter", *manyPatients))
	if n := len(names(page)); n != 200 {
		t.Errorf("%d rows", n)
	}
	began = time.Now()
	_, page = h.post(chen, "/", url.Values{"q": {fmt.Sprintf("tide%04d", *manyPatients-1)}})
	found := time.Since(began)
	if got := names(page); len(got) != 1 {
		t.Errorf("found %v", got)
	}
	t.Logf("%d patients: the page takes %v and has %d bytes, a filter takes %v", *manyPatients, whole, len(page), found)
}
