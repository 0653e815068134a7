// Package misread finds abbreviations and notations of doses that are easily misread, as the Institute for Safe Medication Practices lists
// them (ISMP List of Error-Prone Abbreviations, Symbols, and Dose Designations). It suggests what to write instead, and changes nothing.
//
// rules.json is the table. The editor reads the same one (web/src/misread.ts), and both are held to testdata/cases.json.
package misread

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Rule is one notation. What Find matches stands alone: neither a letter nor a digit is beside it, nor, before a digit, a point or a comma.
type Rule struct {
	ID string `json:"id"`
	// Find is a regular expression that RE2 and JavaScript read alike. Its first group is what is to be replaced; without one all of it is.
	Find string `json:"find"`
	// To is what may be written instead, the likeliest first. $2 stands for the second group. A space that begins it is for where there is none.
	To  []string `json:"to"`
	Why string   `json:"why"`
	// Glued says on which side letters and digits may stand: "", "start" or "both".
	Glued     string   `json:"glued"`
	NotAfter  string   `json:"notAfter"`  // characters, none of which may stand before it
	NotBefore []string `json:"notBefore"` // what may not follow

	find *regexp.Regexp
}

//go:embed rules.json
var table []byte

var rules = func() (all []Rule) {
	if err := json.Unmarshal(table, &all); err != nil {
		panic(fmt.Sprintf("embedded rules: %v", err)) // part of the binary: this is a broken build
	}
	for i := range all {
		all[i].find = regexp.MustCompile(all[i].Find)
	}
	return all
}()

// Place is a notation in a text.
type Place struct {
	From, To int      // in bytes
	Instead  []string // what may be written
	Why      string
}

// Find returns what of a text is easily misread, in its order. It takes time in proportion to the text.
func Find(text string) (all []Place) {
	for i := range rules {
		all = rules[i].places(text, all)
	}
	slices.SortStableFunc(all, func(a, b Place) int { return a.From - b.From })
	end := 0
	return slices.DeleteFunc(all, func(p Place) bool {
		if p.From < end {
			return true // within another
		}
		end = p.To
		return false
	})
}

func (r *Rule) places(text string, all []Place) []Place {
	for at := 0; at < len(text); {
		m := r.find.FindStringSubmatchIndex(text[at:])
		if m == nil {
			return all
		}
		for i := range m {
			m[i] += at // an absent group is never used
		}
		from, to := m[0], m[1]
		if len(m) > 2 {
			from, to = m[2], m[3]
		}
		if !r.alone(text, m[0], m[1]) {
			_, n := utf8.DecodeRuneInString(text[m[0]:])
			at = m[0] + n
			continue
		}
		p := Place{From: from, To: to, Why: r.Why}
		for _, s := range r.To {
			for g := 2; g < len(m)/2; g++ {
				s = strings.ReplaceAll(s, fmt.Sprintf("$%d", g), text[m[2*g]:m[2*g+1]])
			}
			p.Instead = append(p.Instead, strings.TrimSpace(s))
		}
		all, at = append(all, p), to
	}
	return all
}

// alone reports whether what stands beside a match lets it be one.
func (r *Rule) alone(text string, from, to int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:from])
	after, _ := utf8.DecodeRuneInString(text[to:])
	switch {
	case r.Glued == "" && (wordy(before) || strings.ContainsRune(".,", before) && isDigit(text[from])),
		r.Glued != "both" && wordy(after),
		from > 0 && strings.ContainsRune(r.NotAfter, before):
		return false
	}
	return !slices.ContainsFunc(r.NotBefore, func(s string) bool { return strings.HasPrefix(text[to:], s) })
}

func wordy(c rune) bool   { return unicode.IsLetter(c) || unicode.IsNumber(c) }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }
