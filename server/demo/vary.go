package demo

import (
	"crypto/sha1"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// voice tells a case as one patient's own: {age}, {allergies}, {day} of the stay, {man},
// {he}, {him} and {his}, and {88~4}, a number that lies within 4 of its last
// digit around 88 and is each patient's own.
type voice struct {
	words map[string]string
	seed  string
}

func voiceOf(p Patient) voice {
	words := map[string]string{"age": strconv.Itoa(age(p.Born, p.Admitted)), "allergies": p.Allergies}
	var pronouns [4]string
	switch p.Gender {
	case "Female":
		pronouns = [4]string{"woman", "she", "her", "her"}
	case "Male":
		pronouns = [4]string{"man", "he", "him", "his"}
	default:
		pronouns = [4]string{"person", "the patient", "the patient", "the patient's"}
	}
	for i, place := range []string{"man", "he", "him", "his"} {
		word := pronouns[i]
		words[place] = word
		words[strings.ToUpper(place[:1])+place[1:]] = strings.ToUpper(word[:1]) + word[1:]
	}
	return voice{words, p.ID.String()}
}

var placeholder = regexp.MustCompile(`\{[^}]*\}`)

// say fills in the places of a text. What it does not know it leaves, for the
// tests to find.
func (v voice) say(kind string, day int, text string) string {
	n := 0
	text = strings.ReplaceAll(text, "{allergies}", v.words["allergies"]) // which is no number's place
	return placeholder.ReplaceAllStringFunc(text, func(place string) string {
		n++
		name := strings.Trim(place, "{}")
		if word, ok := v.words[name]; ok {
			return word
		}
		if name == "day" {
			return strconv.Itoa(day)
		}
		middle, spread, ok := strings.Cut(name, "~")
		if !ok {
			return place
		}
		return v.number(middle, spread, fmt.Sprintf("%s/%s/%d", v.seed, kind, n))
	})
}

// number returns a number around middle, written as middle is: thousands with
// a comma, and never a zero after the point, which has been read as ten times the dose.
func (v voice) number(middle, spread, seed string) string {
	base, err := strconv.ParseFloat(strings.ReplaceAll(middle, ",", ""), 64)
	width, err2 := strconv.Atoi(spread)
	if err != nil || err2 != nil {
		return "{" + middle + "~" + spread + "}"
	}
	_, fraction, _ := strings.Cut(middle, ".")
	unit := math.Pow10(-len(fraction))
	sum := sha1.Sum([]byte(seed))
	offset := int(sum[0])%(2*width+1) - width
	value := math.Round(base/unit+float64(offset)) * unit
	text := strconv.FormatFloat(value, 'f', len(fraction), 64)
	if len(fraction) > 0 {
		text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	}
	if value >= 1000 {
		text = text[:len(text)-3] + "," + text[len(text)-3:]
	}
	return text
}
