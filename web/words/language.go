package words

import (
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

// Language is a translation.
type Language struct {
	tag     language.Tag
	said    map[Text]string
	counted map[counted]map[string]string // by plural form
	scripts map[string]map[string]any     // what scripts of pages say, as say.ts takes it
}

// counted is a message for a number of things.
type counted struct{ one, many Text }

// Message is an entry of a catalogue.
type Message struct {
	Text Text `json:"text"`
	One  Text `json:"one,omitempty"` // what is said instead of one thing

	// In is where it is said, for translators: files, and the parts of them.
	In []string `json:"in,omitempty"`

	// Says is the translation; Forms that of a number of things, by the plural form of Unicode's CLDR: "one", "few", "other".
	Says  string            `json:"says,omitempty"`
	Forms map[string]string `json:"forms,omitempty"`

	// Scripts are the scripts of pages that say it.
	Scripts []string `json:"scripts,omitempty"`
}

// Catalogue is a file of messages.
type Catalogue struct {
	Language string    `json:"language"`
	Messages []Message `json:"messages"`
}

// English names the catalogue that the code gives: nobody needs it to read English.
const English = "en"

//go:embed translations
var files embed.FS

// Read makes a language of a catalogue with translations. A message may have none yet; its placeholders and elements are those of English.
func Read(c Catalogue) (*Language, error) {
	tag, err := language.Parse(c.Language)
	if err != nil {
		return nil, fmt.Errorf("words: the language of a catalogue: %w", err)
	}
	l := &Language{tag: tag, said: map[Text]string{}, counted: map[counted]map[string]string{}, scripts: map[string]map[string]any{}}
	for _, m := range c.Messages {
		if err := l.add(m); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func (l *Language) add(m Message) error {
	var said any
	var all []string
	english := string(m.Text)
	switch {
	case m.One == "" && m.Says != "":
		l.said[m.Text], said, all = m.Says, m.Says, []string{m.Says}
	case m.One != "" && m.Forms["other"] != "":
		forms := map[string]string{}
		for _, name := range formNames { // scripts look for any
			forms[name] = cmp.Or(m.Forms[name], m.Forms["other"])
		}
		l.counted[counted{m.One, m.Text}], said, all = forms, forms, slices.Collect(maps.Values(forms))
		english = strings.ReplaceAll(english, "{n}", "") // one thing may be said without its number
	default:
		return nil // not translated yet
	}
	for _, s := range all {
		if m.One != "" {
			s = strings.ReplaceAll(s, "{n}", "")
		}
		if !sameParts(english, s) || !sameNames(m.Text, s) {
			return fmt.Errorf("words: the translation of %q to %s has not its placeholders, elements or names", m.Text, l.tag)
		}
	}
	for _, script := range m.Scripts {
		if l.scripts[script] == nil {
			l.scripts[script] = map[string]any{}
		}
		l.scripts[script][string(m.One+m.Text)] = said
	}
	return nil
}

// CatalogueOf reads a file of messages from a directory, or the files of the program.
func CatalogueOf(dir fs.FS, name string) (c Catalogue, err error) {
	content, err := fs.ReadFile(dir, name)
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(content, &c); err != nil {
		return c, fmt.Errorf("words: %s: %w", name, err)
	}
	return c, nil
}

// translations are the languages that are there beside English, and what finds the best of them.
var translations = sync.OnceValues(func() ([]*Language, language.Matcher) {
	names, _ := fs.Glob(files, "translations/*.json")
	tags, all := []language.Tag{language.English}, []*Language{nil}
	for _, name := range names {
		c, err := CatalogueOf(files, name)
		if err != nil {
			panic(err) // TestTranslations reads each of them
		}
		l, err := Read(c)
		if err != nil {
			panic(fmt.Errorf("%s: %w", path.Base(name), err))
		}
		tags, all = append(tags, l.tag), append(all, l)
	}
	return all, language.NewMatcher(tags)
})

// For is the language that suits an Accept-Language header best; nil is English.
func For(accept string) *Language {
	all, matcher := translations()
	if len(all) == 1 || accept == "" {
		return nil
	}
	wanted, _, err := language.ParseAcceptLanguage(accept)
	if err != nil {
		return nil
	}
	_, i, sure := matcher.Match(wanted...)
	if sure == language.No {
		return nil
	}
	return all[i]
}

func (l *Language) say(text Text) string {
	if l != nil {
		if said, ok := l.said[text]; ok {
			return said
		}
	}
	return string(text)
}

// formNames are the plural forms of CLDR, by their number in the library.
var formNames = [...]string{plural.Other: "other", plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many"}

func (l *Language) count(n int, one, many Text) (said, number string) {
	number = strconv.Itoa(n)
	if l != nil {
		if said := l.counted[counted{one, many}]; said != nil {
			return said[formNames[plural.Cardinal.MatchPlural(l.tag, n, 0, 0, 0, 0)]], number
		}
	}
	if n == 1 {
		return string(one), number
	}
	return string(many), number
}

// OfScripts is what scripts of a page say, as say.ts takes it; nil in English.
func (l *Language) OfScripts(names ...string) map[string]any {
	if l == nil {
		return nil
	}
	said := map[string]any{}
	for _, name := range names {
		maps.Copy(said, l.scripts[name])
	}
	return said
}
