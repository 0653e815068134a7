package server_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/clisonix/tidechart/server/store"
)

// phrases are the names of those that somebody's editor offers, with the unit whose they are, and the address of each.
func (h *hospital) phrases(username string) (names []string, at map[string]string) {
	h.t.Helper()
	status, body, _ := h.api("GET", "/api/v1/phrases", h.token(username), "", nil)
	var answer struct {
		Phrases []struct{ ID, Name, Unit string }
	}
	if err := json.Unmarshal(body, &answer); status != 200 || err != nil {
		h.t.Fatalf("phrases of %s: %d, %v", username, status, err)
	}
	at = make(map[string]string)
	for _, p := range answer.Phrases {
		name := strings.TrimSuffix(p.Name+" of "+p.Unit, " of ")
		names, at[name] = append(names, name), "/phrases/"+p.ID
	}
	return names, at
}

// TestPhrases: everybody who writes has phrases of their own, which nobody else sees; what phrases a unit has, its physicians and charge
// nurse say, and who works there uses them. Texts lie sealed, and what is done is on record.
func TestPhrases(t *testing.T) {
	h := open(t).work()
	h.sql(`DELETE FROM phrase`)
	chen, rivera, haddad := h.signIn("chen"), h.signIn("rivera"), h.signIn("haddad")
	h.acts()
	put := func(c *http.Client, path, unit, name, text string) (int, string) {
		status, page, _ := h.submit(c, path, url.Values{"unit": {unit}, "name": {name}, "text": {text}})
		return status, page
	}
	for _, c := range []struct {
		who              *http.Client
		unit, name, text string
	}{
		{rivera, "", " .Turns ", "Turned at ***.  \r\n\r\n- left\r\n- right\r\n"},
		{haddad, "4-west", "falls", "Fell at ***."},
		{chen, "4-west", "chest", "Chest clear."},
	} {
		if status, page := put(c.who, "/phrases", c.unit, c.name, c.text); status != 303 {
			t.Fatalf("%s: %d: %.300s", c.name, status, plainText(page))
		}
	}
	h.recorded("adding", "phrase.change done rivera: added own", "phrase.change done haddad: added unit=4-west", "phrase.change done chen: added unit=4-west")
	if n := h.count(`SELECT count(*) FROM phrase WHERE encode(text, 'escape') ILIKE '%turned%' OR encode(text, 'escape') ILIKE '%fell%'`); n != 0 {
		t.Error("a phrase lies in the clear")
	}

	names, at := h.phrases("rivera")
	if want := []string{"turns", "chest of 4 West, Medicine", "falls of 4 West, Medicine"}; !slices.Equal(names, want) {
		t.Errorf("rivera's editor offers %q, want %q", names, want)
	}
	_, body, _ := h.api("GET", "/api/v1"+at["turns"], h.token("rivera"), "", nil)
	var text struct{ Text string }
	if err := json.Unmarshal(body, &text); err != nil || text.Text != "Turned at ***.\n\n- left\n- right" {
		t.Errorf("the phrase says %q, %v", text.Text, err)
	}
	if got, _ := h.phrases("chen"); slices.Contains(got, "turns") {
		t.Errorf("chen's editor offers %q", got)
	}
	if got, _ := h.phrases("brandt"); len(got) != 0 {
		t.Errorf("who works elsewhere is offered %q", got)
	}
	for who, path := range map[string]string{"chen": at["turns"], "brandt": at["falls of 4 West, Medicine"]} {
		if status, _, _ := h.api("GET", "/api/v1"+path, h.token(who), "", nil); status != 404 {
			t.Errorf("%s reads a phrase that is not theirs: %d", who, status)
		}
		if status, _ := put(h.signIn(who), path, "", "mine", "x"); status != 404 {
			t.Errorf("%s changes a phrase that is not theirs: %d", who, status)
		}
	}
	for who, want := range map[string]int{"novak": 403, "lindqvist": 403} {
		if status, _, _ := h.get(h.signIn(who), "/phrases"); status != want {
			t.Errorf("%s has phrases: %d", who, status)
		}
		if status, _, _ := h.api("GET", "/api/v1/phrases", h.token(who), "", nil); status != want {
			t.Errorf("%s's editor has phrases: %d", who, status)
		}
	}

	h.acts()
	falls := at["falls of 4 West, Medicine"]
	for what, path := range map[string]string{"changes": falls, "removes": falls + "/remove", "adds": "/phrases"} {
		if status, _ := put(rivera, path, "4-west", "mine", "x"); status != 403 {
			t.Errorf("a nurse %s what is the unit's: %d", what, status)
		}
	}
	if acts := h.acts(); len(acts) != 3 || !strings.HasPrefix(acts[0], "access refused rivera") {
		t.Errorf("refusals on record: %q", acts)
	}
	if status, _ := put(haddad, "/phrases", "icu", "x", "x"); status != 403 {
		t.Errorf("a charge nurse adds to another unit's: %d", status)
	}
	if status, _ := put(haddad, "/phrases", "no-unit", "x", "x"); status != 404 {
		t.Errorf("a phrase of no unit: %d", status)
	}
	for what, c := range map[string][2]string{
		"the name again": {"turns", "x"}, "no name": {"", "x"}, "a name with a gap": {"a b", "x"}, "a long name": {strings.Repeat("a", 31), "x"}, "a name of digits": {"5mg", "x"},
		"no text": {"x", " \r\n "}, "a long text": {"x", strings.Repeat("x", 4001)}, "a text that hides": {"x", "a\x00b"},
	} {
		if status, page := put(rivera, "/phrases", "", c[0], c[1]); status != 422 || !strings.Contains(page, `role="alert"`) {
			t.Errorf("%s: %d", what, status)
		}
	}
	h.acts()
	if status, _ := put(rivera, at["turns"], "", "turn", "Turned at ***."); status != 303 {
		t.Errorf("changed: %d", status)
	}
	if status, page, _ := h.get(rivera, "/phrases"); status != 200 || !strings.Contains(page, "<strong>.turn</strong>") || strings.Contains(page, "Remove .falls") || !strings.Contains(page, "Fell at ***.") {
		t.Errorf("the nurse's page: %d", status)
	}
	if status, _ := put(rivera, at["turns"]+"/remove", "", "", ""); status != 303 {
		t.Errorf("removed: %d", status)
	}
	h.recorded("changing", "phrase.change done rivera: changed own", "phrase.change done rivera: removed own")

	h.sql(`INSERT INTO phrase (id, person_id, name, text, by_id) SELECT gen_random_uuid(), $1, 'n' || i, decode(repeat('00', 40), 'hex'), $1 FROM generate_series(1, $2) i`, h.id("rivera"), store.MaxPhrases)
	if status, page := put(rivera, "/phrases", "", "more", "x"); status != 422 || !strings.Contains(page, "as many phrases as there may be") {
		t.Errorf("one too many: %d", status)
	}
	if status, page, _ := h.get(rivera, "/phrases"); status != 200 || !strings.Contains(page, ".n200") {
		t.Errorf("phrases that do not open: %d", status)
	}
}
