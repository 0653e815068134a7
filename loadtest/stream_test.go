package loadtest

import "testing"

// TestStreamIsWhatKeysMake: pressing the keys one by one gives the text that typed promises.
func TestStreamIsWhatKeysMake(t *testing.T) {
	var text []byte
	for n := range 400 {
		if want := typed(n); string(text) != want {
			t.Fatalf("after %d keystrokes %q; typed says %q", n, text, want)
		}
		char, corrects := key(n)
		if corrects {
			if text[len(text)-1] != slip {
				t.Fatalf("keystroke %d corrects %q", n, text[len(text)-1])
			}
			text = text[:len(text)-1]
		}
		text = append(text, char)
	}
	if got := typed(20); got != "0000000 00000010000" {
		t.Errorf("typed(20) = %q", got)
	}
}

func TestJudge(t *testing.T) {
	want := typed(100)
	for _, tt := range []struct {
		name string
		got  string
		v    verdict
		at   int
	}{
		{"complete", want, complete, len(want)},
		{"first lost", want[1:], lost, 6},
		{"one lost inside", want[:20] + want[21:], lost, 20},
		{"last lost", want[:len(want)-1], lost, len(want) - 1},
		{"all lost", "", lost, 0},
		{"one twice", want[:7] + " " + want[7:], duplicated, 8},
		{"last twice", want + want[len(want)-1:], duplicated, len(want)},
		{"two swapped", want[:14] + want[15:16] + want[14:15] + want[16:], altered, 14},
		{"one altered", want[:5] + "x" + want[6:], altered, 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if v, at := judge(tt.got, want); v != tt.v || at != tt.at {
				t.Errorf("judge = %q at %d; want %q at %d", v, at, tt.v, tt.at)
			}
		})
	}
}
