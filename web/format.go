package web

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/clisonix/tidechart/web/words"
)

// Layouts of the NHS Common User Interface, whatever the reader's locale.
const (
	dateLayout = "02-Jan-2006"
	timeLayout = "15:04"
)

// TabTitle names a note in the browser's tab, where people who walk past can
// read it: the kind, the bed and the patient's initials, never a name.
func TabTitle(ctx context.Context, kind string, p Patient) string {
	parts := []string{Named(ctx, kind)}
	if p.Bed != "" {
		parts = append(parts, words.Say(ctx, "bed {bed}", p.Bed))
	}
	if in := p.Initials(); in != "" {
		parts = append(parts, in)
	}
	return strings.Join(parts, ", ")
}

// Initials are the first letters of the given and the family name.
func (p Patient) Initials() string {
	var b strings.Builder
	for _, name := range []string{p.Given, p.Family} {
		if r, n := utf8.DecodeRuneInString(strings.TrimSpace(name)); n > 0 && r != utf8.RuneError {
			b.WriteRune(unicode.ToUpper(r))
		}
	}
	return b.String()
}

// bannerName is "FAMILY, Given (Title)".
func (p Patient) bannerName(ctx context.Context) string {
	name := strings.ToUpper(Kept(ctx, p.Family))
	if p.Given != "" {
		if name != "" {
			name += ", "
		}
		name += p.Given
	}
	if p.Title != "" {
		name += " (" + p.Title + ")"
	}
	if name == "" {
		return words.Say(ctx, "Name not known")
	}
	return name
}

// bornText is "14-Jul-1945 (61y)".
func (p Patient) bornText(ctx context.Context, now time.Time) string {
	if p.Born.IsZero() {
		return words.Say(ctx, "Not Known")
	}
	born := words.Date(ctx, p.Born, dateLayout)
	if age := Age(ctx, p.Born, now); age != "" {
		born += " (" + age + ")"
	}
	return born
}

func (p Patient) genderText(ctx context.Context) string {
	if p.Gender == "" {
		return words.Say(ctx, "Not Known")
	}
	return Named(ctx, p.Gender)
}

// Age writes an age as clinicians read it: in years of adults, and below 18 in
// two units, the smaller the younger: "5y 2m", "14m 3d", "6w 1d", "12d". A second
// unit of which there is nothing is left out. It is empty if born lies after now.
//
// Source: NHS Common User Interface, "Patient Banner" and "Time Display".
func Age(ctx context.Context, born, now time.Time) string {
	by, bm, bd := born.Date()
	ny, nm, nd := now.Date()
	from := time.Date(by, bm, bd, 0, 0, 0, 0, time.UTC)
	to := time.Date(ny, nm, nd, 0, 0, 0, 0, time.UTC)
	if to.Before(from) {
		return ""
	}
	days := int(to.Sub(from).Hours()) / 24
	months := (ny-by)*12 + int(nm) - int(bm)
	if nd < bd {
		months--
	}
	switch {
	case days < 28:
		return words.Say(ctx, "{days}d", strconv.Itoa(days))
	case months < 12:
		return inUnits(words.Say(ctx, "{weeks}w", strconv.Itoa(days/7)), days%7, words.Say(ctx, "{days}d", strconv.Itoa(days%7)))
	case months < 24:
		over := max(0, int(to.Sub(from.AddDate(0, months, 0)).Hours())/24)
		return inUnits(words.Say(ctx, "{months}m", strconv.Itoa(months)), over, words.Say(ctx, "{days}d", strconv.Itoa(over)))
	case months < 18*12:
		return inUnits(words.Say(ctx, "{years}y", strconv.Itoa(months/12)), months%12, words.Say(ctx, "{months}m", strconv.Itoa(months%12)))
	default:
		return words.Say(ctx, "{years}y", strconv.Itoa(months/12))
	}
}

// inUnits is an age in two units, unless there is nothing of the smaller one.
func inUnits(large string, left int, small string) string {
	if left == 0 {
		return large
	}
	return large + " " + small
}

// allergyHeading is the wording that the Common User Interface prescribes.
func (a Allergies) heading(ctx context.Context) string {
	switch a.State {
	case AllergiesKnown:
		return words.Say(ctx, "Known allergies")
	case AllergiesNone:
		return words.Say(ctx, "No known allergies")
	case AllergiesUnavailable:
		return words.Say(ctx, "Allergies unavailable")
	default:
		return words.Say(ctx, "Allergies not recorded")
	}
}

// moment is a time of day on the day of now, else a date and a time.
func moment(ctx context.Context, t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	ty, tm, td := t.Date()
	ny, nm, nd := now.In(t.Location()).Date()
	if ty == ny && tm == nm && td == nd {
		return t.Format(timeLayout)
	}
	return words.Date(ctx, t, dateLayout+" "+timeLayout)
}

func machineTime(t time.Time) string { return t.Format(time.RFC3339) }

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// span is how long something took or has lasted: "under 1 min", "42 min",
// "3 h 05 min".
func span(ctx context.Context, from, to time.Time) string {
	d := to.Sub(from)
	switch {
	case d < time.Minute:
		return words.Say(ctx, "under 1 min")
	case d < time.Hour:
		return words.Say(ctx, "{d} min", strconv.Itoa(int(d/time.Minute)))
	default:
		return words.Say(ctx, "{d} h {d2} min", strconv.Itoa(int(d/time.Hour)), fmt.Sprintf("%02d", int(d%time.Hour/time.Minute)))
	}
}

// withCount is a word with a number behind it, if there is one.
func withCount(text string, n int) string {
	if n == 0 {
		return text
	}
	return text + " (" + strconv.Itoa(n) + ")"
}

// authorClass is the CSS class of an author colour.
func authorClass(index int) string {
	if index < 0 || index > 7 {
		index = 0
	}
	return "author-" + strconv.Itoa(index)
}

func (s NoteStatus) label(ctx context.Context) string {
	switch s {
	case StatusDraft:
		return words.Say(ctx, "Draft")
	case StatusReview:
		return words.Say(ctx, "In review")
	case StatusSigning:
		return words.Say(ctx, "Being signed")
	case StatusSigned:
		return words.Say(ctx, "Signed")
	case StatusCosigned:
		return words.Say(ctx, "Cosigned")
	case StatusAdded:
		return words.Say(ctx, "Signed, with addendum")
	case StatusAmended:
		return words.Say(ctx, "Signed, with correction")
	case StatusRetracted:
		return words.Say(ctx, "Entered in error")
	default:
		return string(s)
	}
}

// signed reports whether somebody has signed, whatever was said about it since.
func (s NoteStatus) signed() bool {
	return s == StatusSigned || s == StatusCosigned || s == StatusAdded || s == StatusAmended || s == StatusRetracted
}

// reviewsText names the page of reviews, with how many wait.
func (n Notices) reviewsText(ctx context.Context) string {
	if n.Reviews == 0 {
		return words.Say(ctx, "Emergency access")
	}
	return words.Say(ctx, "Emergency access ({reviews})", strconv.Itoa(n.Reviews))
}
