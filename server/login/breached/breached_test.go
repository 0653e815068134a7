package breached

import (
	"strings"
	"testing"
)

// TestListed: what is on the list, and what people make of it; and nothing that somebody has thought of by themselves.
func TestListed(t *testing.T) {
	for password, want := range map[string]bool{
		"1qaz2wsx3edc4rfv": true, "passwordpassword": true, "123456789987654321": true, "ilovetokiohotel": true, "jonasbrothersfan": true,
		"IloveTokioHotel": true, "ilovetokiohotel2025": true, "!!ilovetokiohotel!!": true, "2025-JonasBrothersFan-2025": true,
		"password20262026": true, "Michael 1122334455": true, "qwerty!!!!!!!!!!": true,
		"seven grey gulls at low tide": false, "kelp-dries 0n the third post": false, "vx7Tq 0pLmz9 rEw2": false, "": false, "15": false,
		"潮が満ちて来る港で七羽の鴎が鳴く": false, strings.Repeat("gulls at low tide ", 50): false,
	} {
		if got := Listed(password); got != want {
			t.Errorf("%q: %v, want %v", password, got, want)
		}
	}
}

// TestListIsWhole: sorted, without repetition, and of the size that it was built with.
func TestListIsWhole(t *testing.T) {
	if len(list)%4 != 0 || len(list) < 4*300_000 {
		t.Fatalf("%d bytes", len(list))
	}
	for i := 4; i < len(list); i += 4 {
		if list[i-4:i] >= list[i:i+4] {
			t.Fatalf("entry %d comes before the one that it follows", i/4)
		}
	}
}

// TestGoodPasswordsAreTaken, but for as many as four bytes cannot tell from listed ones.
func TestGoodPasswordsAreTaken(t *testing.T) {
	const tries = 20_000
	wrong := 0
	word := []string{"kelp", "gull", "tide", "post", "rope", "sand", "hull", "mast", "reef", "cove"}
	for i := range tries {
		sentence := word[i%10] + " " + word[i/10%10] + " over " + word[i/100%10] + " and " + word[i/1000%10] + " " + word[i/10_000%10] + " ends"
		if Listed(sentence) {
			wrong++
		}
	}
	if wrong > tries/500 {
		t.Errorf("%d of %d sentences are said to be listed", wrong, tries)
	}
}
