package login

import (
	"testing"
	"time"
)

// TestCodesAreThoseOfTheStandard: the examples of RFC 6238, appendix B, of which six digits are used here.
func TestCodesAreThoseOfTheStandard(t *testing.T) {
	secret := []byte("12345678901234567890")
	for at, code := range map[int64]string{
		1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		for off, want := range map[int64]bool{0: true, codeEvery: true, -codeEvery: true, 2 * codeEvery: false, -2 * codeEvery: false} {
			step, ok := stepOf(secret, code, time.Unix(at+off, 0))
			if ok != want || ok && step != at/codeEvery {
				t.Errorf("%s at %d and %d s: step %d, %v", code, at, off, step, ok)
			}
		}
	}
	if _, ok := stepOf(secret, "287082", time.Unix(59, 0)); !ok {
		t.Error("the first example is not taken")
	}
	for _, code := range []string{"", "287083", "28708", "2870820", "２８７０８２"} {
		if _, ok := stepOf(secret, code, time.Unix(59, 0)); ok {
			t.Errorf("%q is taken", code)
		}
	}
}

// TestCodesAreTyped as people read them.
func TestCodesAreTyped(t *testing.T) {
	code := newCode()
	if len(code) != 19 || string(hashOfCode(code)) != string(hashOfCode(" "+code+" ")) || string(hashOfCode(code)) == string(hashOfCode(newCode())) {
		t.Errorf("%q, or its hash, is not as it should be", code)
	}
	for typed, want := range map[string]string{"123 456": "123456", " 123456\t": "123456", "": ""} {
		if got := digits(typed); got != want {
			t.Errorf("%q is %q", typed, got)
		}
	}
	for text, want := range map[string]string{"": "", "ABCD": "ABCD", "ABCDE": "ABCD E", "ABCDEFGH": "ABCD EFGH"} {
		if got := inFours(text, " "); got != want {
			t.Errorf("%q in fours is %q", text, got)
		}
	}
}
