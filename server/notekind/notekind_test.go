package notekind_test

import (
	"regexp"
	"testing"

	"github.com/clisonix/tidechart/server/notekind"
	"github.com/clisonix/tidechart/web/words"
)

func TestKindsAreWhatTheyClaim(t *testing.T) {
	loinc := map[string]string{
		"progress": "11506-3", "history-physical": "34117-2", "handoff": "34746-8", "discharge": "18842-5",
		"medications": "56445-0", "consult": "11488-4",
	}
	if len(notekind.Kinds) != len(loinc) {
		t.Errorf("%d kinds, want %d", len(notekind.Kinds), len(loinc))
	}
	slug := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	for _, k := range notekind.Kinds {
		if !slug.MatchString(k.Code) || k.Name == "" || len(k.Sections) == 0 {
			t.Errorf("kind %+v is not whole", k)
		}
		if k.LOINC != loinc[k.Code] {
			t.Errorf("kind %s has code %s, want %s", k.Code, k.LOINC, loinc[k.Code])
		}
		if !checked(k.LOINC) {
			t.Errorf("kind %s: the check digit of %s is wrong", k.Code, k.LOINC)
		}
		seen := map[words.Text]bool{}
		for _, s := range k.Sections {
			if s.Heading == "" || seen[s.Heading] {
				t.Errorf("kind %s: heading %q is empty or there twice", k.Code, s.Heading)
			}
			seen[s.Heading] = true
			if s.LOINC != "" && !checked(s.LOINC) {
				t.Errorf("section %q: the check digit of %s is wrong", s.Heading, s.LOINC)
			}
		}
	}
}

// checked verifies a LOINC code's check digit (mod 10, Luhn).
func checked(code string) bool {
	digits, check := code[:len(code)-2], int(code[len(code)-1]-'0')
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return code[len(code)-2] == '-' && (10-sum%10)%10 == check
}

func TestByCode(t *testing.T) {
	for _, k := range notekind.Kinds {
		if got, ok := notekind.ByCode(k.Code); !ok || got.LOINC != k.LOINC {
			t.Errorf("ByCode(%q) = %+v, %v", k.Code, got, ok)
		}
	}
	if _, ok := notekind.ByCode("sonnet"); ok {
		t.Error("knows a kind that is none")
	}
}

func TestTemplateHasEachHeadingAndRoomToWrite(t *testing.T) {
	for _, k := range notekind.Kinds {
		doc := k.Template()
		if doc.Type != "doc" || len(doc.Content) != 2*len(k.Sections) {
			t.Fatalf("%s: %d blocks in a %s", k.Code, len(doc.Content), doc.Type)
		}
		for i, s := range k.Sections {
			heading, room := doc.Content[2*i], doc.Content[2*i+1]
			if heading.Type != "heading" || heading.Content[0].Text != string(s.Heading) {
				t.Errorf("%s: block %d is %+v, want heading %q", k.Code, 2*i, heading, s.Heading)
			}
			if room.Type != "paragraph" || len(room.Content) != 0 {
				t.Errorf("%s: block %d is %+v, want an empty paragraph", k.Code, 2*i+1, room)
			}
		}
	}
}
