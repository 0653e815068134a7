package words

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
)

// polish is a language with more plural forms than English, and another order of words.
func polish(t *testing.T) context.Context {
	t.Helper()
	l, err := Read(Catalogue{Language: "pl", Messages: []Message{
		{Text: "Sign this note", Says: "Podpisz notatkę"},
		{Text: "{by} holds the note until {until}", Says: "Do {until} notatkę ma {by}"},
		{One: "{n} note of {unit}", Text: "{n} notes of {unit}", Forms: map[string]string{"one": "{unit}: {n} notatka", "few": "{unit}: {n} notatki", "other": "{unit}: {n} notatek"}},
		{Text: months, Says: "sty lut mar kwi maj cze lip sie wrz paź lis gru"},
		{Text: days, Says: "ndz pon wto śro czw pią sob"},
		{Text: "Signed by <strong>{name}</strong>, <a>show it</a>", Says: "<a>Pokaż</a>, podpis: <strong>{name}</strong>"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return In(t.Context(), l)
}

func TestMessagesAreSaid(t *testing.T) {
	pl, en := polish(t), t.Context()
	for i, one := range []struct{ got, want string }{
		{Say(en, "Sign this note"), "Sign this note"},
		{Say(pl, "Sign this note"), "Podpisz notatkę"},
		{Say(pl, "Nobody has translated this"), "Nobody has translated this"},
		{Say(en, "{by} holds the note until {until}", "Dr {until}", "14:05"), "Dr {until} holds the note until 14:05"}, // a value is no message
		{Say(pl, "{by} holds the note until {until}", "Dr {by}", "14:05"), "Do 14:05 notatkę ma Dr {by}"},
		{Say(en, "{a} {b", "1"), "1 {b"},
		{Count(en, 1, "{n} note of {unit}", "{n} notes of {unit}", "4 West"), "1 note of 4 West"},
		{Count(en, 0, "{n} note of {unit}", "{n} notes of {unit}", "{n}"), "0 notes of {n}"},
		{Count(pl, 1, "{n} note of {unit}", "{n} notes of {unit}", "4 West"), "4 West: 1 notatka"},
		{Count(pl, 22, "{n} note of {unit}", "{n} notes of {unit}", "4 West"), "4 West: 22 notatki"},
		{Count(pl, 5, "{n} note of {unit}", "{n} notes of {unit}", "4 West"), "4 West: 5 notatek"},
		{Tag(en) + Tag(pl), "enpl"},
	} {
		if one.got != one.want {
			t.Errorf("%d: got %q, want %q", i, one.got, one.want)
		}
	}
}

// TestDates: only names of months and days differ.
func TestDates(t *testing.T) {
	pl, at := polish(t), time.Date(2026, 11, 3, 14, 5, 9, 0, time.UTC)
	for layout, want := range map[string]string{
		"02-Jan-2006 15:04:05 MST": "03-lis-2026 14:05:09 UTC", "Mon 02-Jan": "wto 03-lis", "15:04": "14:05", "": "",
	} {
		if got := Date(pl, at, layout); got != want {
			t.Errorf("%q: got %q, want %q", layout, got, want)
		}
		if got, want := Date(t.Context(), at, layout), at.Format(layout); got != want {
			t.Errorf("%q in English: got %q, want %q", layout, got, want)
		}
	}
	for english, want := range map[string]string{"23-Nov-2026 14:00": "23-lis-2026 14:00", "01-May-2026": "01-maj-2026", "at once": "at once", "2026-11-23": "2026-11-23"} {
		if got := Dated(pl, english); got != want || Dated(t.Context(), english) != english {
			t.Errorf("%q is dated %q, want %q", english, got, want)
		}
	}
}

func TestSentences(t *testing.T) {
	show := func(ctx context.Context) string {
		var b strings.Builder
		link := Attributes("href", templ.SafeURL("/notes/1?a&b"), "class", "quiet", "hidden", false)
		if err := Sentence("Signed by <strong>{name}</strong>, <a>show it</a>", "<i>{name}</i>", link).Render(ctx, &b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	name, link := "<strong>&lt;i&gt;{name}&lt;/i&gt;</strong>", `<a href="/notes/1?a&amp;b" class="quiet">`
	if got, want := show(t.Context()), "Signed by "+name+", "+link+"show it</a>"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got, want := show(polish(t)), link+"Pokaż</a>, podpis: "+name; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	var b strings.Builder
	twice := Sentence("<a1>One</a1>, <a2>{n}</a2>, {when}", Attributes("href", "javascript:alert(1)"), Attributes("href", "/2"), 2, templ.Raw("<time>now</time>"))
	if err := twice.Render(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	if got, want := b.String(), `<a href="about:invalid#TemplFailedSanitizationURL">One</a>, <a href="/2">2</a>, <time>now</time>`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestTranslationsAreChecked: what lacks a placeholder or an element, or has one more, is no translation.
func TestTranslationsAreChecked(t *testing.T) {
	for _, says := range []string{"<a>{name}</a>", "<b>{name}</a>", "<b>{who}</b>", "<b></b>{name", "</b>{name}<b>", "<b><b>{name}</b>", "<b>{name}{name}</b>"} {
		if _, err := Read(Catalogue{Language: "de", Messages: []Message{{Text: "<b>{name}</b>", Says: says}}}); err == nil {
			t.Errorf("%s is taken", says)
		}
	}
	if _, err := Read(Catalogue{Language: "de", Messages: []Message{{Text: months, Says: "Jan Feb Mär"}}}); err == nil {
		t.Error("three names of months are taken for all of them")
	}
	if _, err := Read(Catalogue{Language: "no such language"}); err == nil {
		t.Error("a catalogue of no language is taken")
	}
}

// TestTranslations reads those that are shipped: English needs none, and suits whoever asks for what is not there.
func TestTranslations(t *testing.T) {
	all, _ := translations()
	if len(all) == 0 || all[0] != nil {
		t.Error("English is not the first")
	}
	for _, accept := range []string{"", "en-GB", "xx", "tlh;q=1", ";;"} {
		if For(accept) != nil {
			t.Errorf("%q is not shown English", accept)
		}
	}
	c, err := CatalogueOf(os.DirFS("."), English+".json")
	if err != nil || len(c.Messages) < 500 || c.Language != English {
		t.Errorf("the catalogue has %d messages, %v", len(c.Messages), err)
	}
}

// TestEnglishCostsNothing: without a translation, a message is the constant that stands in the code.
func TestEnglishCostsNothing(t *testing.T) {
	if foreign.Swap(false) {
		defer foreign.Store(true)
	}
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() { Say(ctx, "Sign this note") }); n != 0 {
		t.Errorf("saying a message allocates %v times", n)
	}
	if n := testing.AllocsPerRun(100, func() { Say(ctx, "{by} holds the note until {until}", "Rosa", "14:05") }); n > 1 {
		t.Errorf("saying a message with values allocates %v times", n)
	}
}

func BenchmarkSay(b *testing.B) {
	for b.Loop() {
		Say(b.Context(), "{by} holds the note until {until}", "Rosa", "14:05")
	}
}
