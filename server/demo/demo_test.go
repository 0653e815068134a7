package demo_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/demo"
	"github.com/clisonix/tidechart/server/notekind"
)

var now = time.Date(2026, 11, 20, 16, 30, 0, 0, time.UTC)

func hospital(t *testing.T, now time.Time) demo.Hospital {
	t.Helper()
	h, err := demo.New(now)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestHospitalIsAsPromised(t *testing.T) {
	h := hospital(t, now)
	if len(h.Units) != 3 || len(h.Beds) != 48 || len(h.People) != 10 || len(h.Patients) != 40 {
		t.Errorf("%d units, %d beds, %d people, %d patients; want 3, 48, 10, 40",
			len(h.Units), len(h.Beds), len(h.People), len(h.Patients))
	}
	units, beds := map[string]bool{}, map[string]string{}
	for _, u := range h.Units {
		units[u.ID] = true
	}
	for _, b := range h.Beds {
		if !units[b.Unit] || beds[b.ID] != "" {
			t.Errorf("bed %+v is in no unit, or there twice", b)
		}
		beds[b.ID] = b.Unit
	}
	unique := map[string]bool{}
	once := func(what, value string) {
		t.Helper()
		if unique[what+value] {
			t.Errorf("%s %s is there twice", what, value)
		}
		unique[what+value] = true
	}
	statement := regexp.MustCompile(`^(Known allergies: [a-z].*|No known allergies|Allergies not recorded|Allergies unavailable)$`)
	for _, p := range h.Patients {
		once("id", p.ID.String())
		once("MRN", p.MRN)
		once("bed", p.Bed)
		once("name", p.Family+p.Given)
		if beds[p.Bed] != p.Unit {
			t.Errorf("%s lies in bed %s of unit %q, but belongs to %q", p.MRN, p.Bed, beds[p.Bed], p.Unit)
		}
		if !statement.MatchString(p.Allergies) {
			t.Errorf("%s: allergies are stated as %q", p.MRN, p.Allergies)
		}
	}
	for _, p := range h.People {
		once("id", p.ID.String())
		once("username", p.Username)
		if access.May(access.Role(p.Role), access.WriteNote) {
			once("colour", fmt.Sprint(p.Color))
		}
	}
}

func TestEachPatientHasTwoToFourNotesOfTheFourKinds(t *testing.T) {
	h := hospital(t, now)
	perPatient, perKind := map[string]int{}, map[string]int{}
	admitted := map[string]time.Time{}
	for _, p := range h.Patients {
		perPatient[p.MRN] = 0
		admitted[p.ID.String()] = p.Admitted
	}
	midnight := now.Truncate(24 * time.Hour)
	for i, n := range h.Notes {
		p := h.Patients[slices.IndexFunc(h.Patients, func(p demo.Patient) bool { return p.ID == n.Patient })]
		perPatient[p.MRN]++
		perKind[n.Kind]++
		if n.At.Before(p.Admitted) || !n.At.Before(midnight) {
			t.Errorf("%s of %s is from %v: before the admission, or from today", n.Kind, p.MRN, n.At)
		}
		if i > 0 && n.At.Before(h.Notes[i-1].At) {
			t.Errorf("note %d is older than the one before it", i)
		}
	}
	for mrn, n := range perPatient {
		if n < 2 || n > 4 {
			t.Errorf("%s has %d notes", mrn, n)
		}
	}
	for _, k := range notekind.Kinds {
		if perKind[k.Code] < 10 && k.Code != "medications" && k.Code != "consult" { // those are for whoever tries it out
			t.Errorf("only %d notes of kind %s", perKind[k.Code], k.Code)
		}
	}
}

// TestNotesHaveTheSectionsOfTheirKind: all of them, in order, with something to say in each.
func TestNotesHaveTheSectionsOfTheirKind(t *testing.T) {
	for _, n := range hospital(t, now).Notes {
		kind, ok := notekind.ByCode(n.Kind)
		if !ok {
			t.Fatalf("kind %q", n.Kind)
		}
		var want, got []string
		for _, s := range kind.Sections {
			want = append(want, string(s.Heading))
		}
		for i, block := range n.Body.Content {
			switch block.Type {
			case "heading":
				got = append(got, plain(block))
				if i+1 == len(n.Body.Content) || n.Body.Content[i+1].Type == "heading" {
					t.Errorf("%s: section %q is empty", n.Kind, plain(block))
				}
			case "paragraph", "bulletList":
			case "taskList":
				if n.Kind != notekind.Handoff {
					t.Errorf("%s has tasks, which stock editors do not know", n.Kind)
				}
			default:
				t.Errorf("%s: a block of type %q", n.Kind, block.Type)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s has sections %q, of %q", n.Kind, got, want)
		}
	}
}

// TestHandoffsHaveTasks: what a handoff asks for is somebody's to do, by a time, and most of it done by the last shift.
func TestHandoffsHaveTasks(t *testing.T) {
	h := hospital(t, now)
	owners, tasks, due, done := map[string]int{}, 0, 0, 0
	for _, n := range h.Notes {
		for _, block := range n.Body.Content {
			if block.Type != "taskList" {
				continue
			}
			for _, item := range block.Content {
				task := prose.TaskOf(item)
				owners[task.OwnerName]++
				if tasks++; task.Due != "" {
					due++
				}
				if task.Done {
					done++
				}
				if task.Due != "" && task.Due < n.At.Format("2006-01-02T15:04") {
					t.Errorf("a task of %v was due at %s", n.At, task.Due)
				}
			}
		}
	}
	if tasks < 60 || due < tasks/3 || done == 0 || done > tasks/2 || owners[""] == 0 || owners["Lina Haddad RN"] == 0 || owners["Jonas Brandt RN"] == 0 {
		t.Errorf("%d tasks, %d with a time, %d done, of %v", tasks, due, done, owners)
	}
}

func TestPatientsOfOneIllnessDiffer(t *testing.T) {
	seen := map[string]bool{}
	for _, n := range hospital(t, now).Notes {
		if text := plain(n.Body); seen[text] {
			t.Errorf("two patients share this %s:\n%s", n.Kind, text)
		} else {
			seen[text] = true
		}
	}
}

func TestNobodyIsGivenWhatTheyAreAllergicTo(t *testing.T) {
	families := map[string][]string{
		"penicillin":     {"penicillin", "amoxicillin", "flucloxacillin", "piperacillin", "ceFAZolin", "cefTRIAXone", "cefalexin"},
		"sulfonamides":   {"sulfamethoxazole", "furosemide", "bendroflumethiazide", "hydroCHLOROthiazide"},
		"nitrofurantoin": {"nitrofurantoin"},
		"codeine":        {"codeine", "morphine"},
		"morphine":       {"codeine", "morphine"},
		"vancomycin":     {"vancomycin"},
	}
	h := hospital(t, now)
	met := 0
	for _, p := range h.Patients {
		for allergen, drugs := range families {
			if !strings.Contains(p.Allergies, allergen) {
				continue
			}
			met++
			for _, n := range h.Notes {
				for _, drug := range drugs {
					if n.Patient == p.ID && strings.Contains(strings.ReplaceAll(plain(n.Body), p.Allergies, ""), drug) {
						t.Errorf("%s: %s, but the %s mentions %s", p.MRN, p.Allergies, n.Kind, drug)
					}
				}
			}
		}
	}
	if met < len(families) {
		t.Errorf("only %d allergies were looked at", met)
	}
}

// forbidden is what ISMP's lists say not to write, since each has been
// misread and has harmed somebody.
var forbidden = []struct{ what, pattern string }{
	{"a naked decimal", `(^|[^\d])\.\d`},
	{"a trailing zero", `\d\.\d*0\b`},
	{"a thousand without its comma", `(^|[^\d.,])\d{4,}`},
	{"µg or ug", `µ|μ|\bug\b`},
	{"U or IU for units", `\d ?(U|u|IU)\b|\bIU\b`},
	{"an abbreviated frequency", `(?i)\b(q\.?d|q\.?o\.?d|b\.?i\.?d|t\.?i\.?d|q\.?i\.?d|qhs|qn|prn)\b`},
	{"an abbreviated route or time", `\b(SC|SQ|sub q|HS|hs|PO|IV|AU|AS|AD|OD|OS|OU)\b`},
	{"cc for mL", `\d ?cc\b`},
	{"ml for mL", `\d ?ml\b`},
	{"D/C", `(?i)\bd/c\b`},
	{"ss, for half or for sliding scale", `\bss(i|ri)?\b|\bSS(I|RI)\b`},
	{"an abbreviated drug", `\b(MS|MSO4|MgSO4|HCTZ|AZT|TNK|TPA|ASA|NTG|PCN|CPZ|MTX)\b`},
	{"a dose stuck to its unit", `\d(mg|mcg|g|mL|L|units|mmol|kg)\b`},
	{"a period after a unit", `\d (mg|mcg|mL|kg|mmol)\. [a-z]`},
	{"a place left unfilled", `[{}~]`},
	{"a stop left unfilled", `\*\*\*|\?\?`},
	{"a space doubled or at an end", `  |\s$`},
	{"a hydroxyzine-like pair without tall letters", `\b(hydralazine|hydroxyzine|prednisone|prednisolone|metformin|glipizide|dopamine|dobutamine|oxycodone|hydrocodone|hydromorphone|epinephrine|ceftriaxone|cefazolin|metronidazole|levetiracetam|fentanyl|tramadol|trazodone|amlodipine|hydrochlorothiazide|lorazepam|clonidine)\b`},
}

func TestTextHasNothingThatISMPForbids(t *testing.T) {
	patterns := make([]*regexp.Regexp, len(forbidden))
	for i, f := range forbidden {
		patterns[i] = regexp.MustCompile(f.pattern)
	}
	for _, n := range hospital(t, now).Notes {
		for line := range strings.Lines(plain(n.Body)) {
			line = strings.TrimSuffix(line, "\n")
			for i, p := range patterns {
				if at := p.FindString(line); at != "" {
					t.Errorf("%s has %s, %q: %s", n.Kind, forbidden[i].what, at, line)
				}
			}
		}
	}
}

// TestISMPPatternsCatch proves that the list above is not asleep.
func TestISMPPatternsCatch(t *testing.T) {
	bad := []string{
		"digoxin .5 mg", "warfarin 1.0 mg", "heparin 5000 units", "levothyroxine 100 µg", "insulin 10U", "furosemide QD",
		"enoxaparin SC", "5 cc", "5 ml", "D/C", "SSI", "MSO4", "10mg", "5 mg. daily", "{age}", "***", "a  b", "prednisone",
	}
	if len(bad) != len(forbidden) {
		t.Fatalf("%d samples for %d patterns", len(bad), len(forbidden))
	}
	for i, f := range forbidden {
		if !regexp.MustCompile(f.pattern).MatchString(bad[i]) {
			t.Errorf("the pattern for %s misses %q", f.what, bad[i])
		}
	}
}

// TestSeedIsTheSameEverywhere holds the whole hospital to one hash: a demo, a
// test and a screenshot made elsewhere show the same patients. If a change is
// meant, copy the new hash here.
func TestSeedIsTheSameEverywhere(t *testing.T) {
	const want = "95a00b69df630a0932f22a29249d2f13b1f730ce3c7fb39f1a2a068776230912"
	if got := hash(hospital(t, now)); got != want {
		t.Errorf("hash is %s, want %s", got, want)
	}
	if a, b := hash(hospital(t, now)), hash(hospital(t, now.Add(-5*time.Hour))); a != b {
		t.Error("the hospital differs within a day")
	}
	if a, b := hash(hospital(t, now)), hash(hospital(t, now.AddDate(0, 0, 1))); a == b {
		t.Error("the hospital does not move with the day")
	}
}

func hash(h demo.Hospital) string {
	w := sha256.New()
	fmt.Fprintln(w, h.ID, h.Name, h.Units, h.Beds, h.People, h.Patients)
	for _, n := range h.Notes {
		fmt.Fprintln(w, n.ID, n.Patient, n.Unit, n.Kind, n.Author, n.At)
		outline(w, n.Body, 0)
	}
	return hex.EncodeToString(w.Sum(nil))
}

func outline(w io.Writer, n prose.Node, depth int) {
	fmt.Fprintf(w, "%*s%s %v %q\n", depth, "", n.Type, n.Attrs, n.Text)
	for _, child := range n.Content {
		outline(w, child, depth+1)
	}
}

// plain returns the text of a node, a line for each block that has any.
func plain(n prose.Node) string {
	if n.Type == "text" {
		return n.Text
	}
	var parts []string
	for _, child := range n.Content {
		parts = append(parts, plain(child))
	}
	if n.Type == "paragraph" || n.Type == "heading" {
		return strings.Join(parts, "")
	}
	return strings.Join(parts, "\n")
}
