package loadtest

import "strings"

// Each typist writes one stream into a paragraph of its own: numbers of seven digits, so that any two streams of
// one length are equal and one that lost, repeated or swapped a character is not. The n-th keystroke is the n-th
// character its client inserts, so that a character's id says when it was typed.
const (
	wordLength = 8
	slipEvery  = 16 // the last of so many keystrokes is a slip, which the next one deletes
	slip       = '#'
)

// key returns the character of the n-th keystroke, from 0, and whether the keystroke first deletes the slip
// before it. A run without deletions would not notice a server that forgets them.
func key(n int) (char byte, corrects bool) {
	if n%slipEvery == slipEvery-1 {
		return slip, false
	}
	return digit(n/wordLength, n%wordLength), n > 0 && n%slipEvery == 0
}

// digit returns character i of the given word: seven digits and a space.
func digit(word, i int) byte {
	if i == wordLength-1 {
		return ' '
	}
	for range wordLength - 2 - i {
		word /= 10
	}
	return '0' + byte(word%10)
}

// typed returns what a paragraph holds after n keystrokes.
func typed(n int) string {
	var b strings.Builder
	for k := range n {
		if char, _ := key(k); char != slip || k == n-1 {
			b.WriteByte(char)
		}
	}
	return b.String()
}

// A verdict says what is wrong with a stream.
type verdict string

const (
	complete   verdict = ""
	lost       verdict = "characters lost"
	duplicated verdict = "characters there twice"
	altered    verdict = "characters altered or out of order"
)

// judge compares a typist's paragraph with what it typed, and returns the first place where they differ.
func judge(got, want string) (v verdict, at int) {
	for at < len(got) && at < len(want) && got[at] == want[at] {
		at++
	}
	switch {
	case got == want:
		return complete, at
	case len(got) < len(want):
		return lost, at
	case len(got) > len(want):
		return duplicated, at
	}
	return altered, at
}
