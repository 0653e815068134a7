// Extract writes the catalogue of what pages say, web/words/en.json, from the code, and brings translations up to it: make generate runs it.
// With the name of a language it begins a translation: go run ./web/words/extract pl.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/clisonix/tidechart/web/words"
)

func main() {
	if err := write(".", os.Args[1:]...); err != nil {
		fmt.Fprintln(os.Stderr, "extract:", err)
		os.Exit(1)
	}
}

func write(root string, begun ...string) error {
	english, err := catalogue(root)
	if err != nil {
		return err
	}
	dir := filepath.Join(root, "web", "words")
	if err := put(filepath.Join(dir, words.English+".json"), english); err != nil {
		return err
	}
	names, err := filepath.Glob(filepath.Join(dir, "translations", "*.json"))
	if err != nil {
		return err
	}
	for _, language := range begun {
		names = append(names, filepath.Join(dir, "translations", language+".json"))
	}
	for _, name := range names {
		if err := bringUp(name, english); err != nil {
			return err
		}
	}
	return nil
}

// catalogue is what the code under root says. root is the directory of the module.
func catalogue(root string) (words.Catalogue, error) {
	found := found{}
	if err := found.goCode(root); err != nil {
		return words.Catalogue{}, err
	}
	if err := found.scripts(filepath.Join(root, "web", "src")); err != nil {
		return words.Catalogue{}, err
	}
	return words.Catalogue{Language: words.English, Messages: found.messages()}, nil
}

// bringUp brings a translation up to what English says, and tells how much of that it has.
func bringUp(name string, english words.Catalogue) error {
	old, err := words.CatalogueOf(os.DirFS(filepath.Dir(name)), filepath.Base(name))
	if errors.Is(err, fs.ErrNotExist) {
		old, err = words.Catalogue{Language: strings.TrimSuffix(filepath.Base(name), ".json")}, nil
	}
	if err != nil {
		return err
	}
	now, translated, gone := merged(old, english)
	if _, err := words.Read(now); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%s: %d of %d messages are translated, and %d that nothing says any more\n", now.Language, translated, len(english.Messages), gone)
	return put(name, now)
}

// merged is a translation with all that English says. What nothing says any more stays at its end if it is translated: it may be said anew
// in other words.
func merged(old, english words.Catalogue) (now words.Catalogue, translated, gone int) {
	had := map[said]words.Message{}
	for _, m := range old.Messages {
		if m.Says != "" || len(m.Forms) > 0 {
			had[said{string(m.One), string(m.Text)}] = m
		}
	}
	now.Language = old.Language
	for _, m := range english.Messages {
		key := said{string(m.One), string(m.Text)}
		if was, is := had[key]; is {
			m.Says, m.Forms = was.Says, was.Forms
			translated++
			delete(had, key)
		}
		now.Messages = append(now.Messages, m)
	}
	for _, m := range old.Messages {
		if _, is := had[said{string(m.One), string(m.Text)}]; is {
			m.In, m.Scripts = nil, nil
			now.Messages = append(now.Messages, m)
			gone++
		}
	}
	return now, translated, gone
}

func put(name string, c words.Catalogue) error {
	content, err := written(c)
	if err != nil {
		return err
	}
	return os.WriteFile(name, content, 0o644)
}

// written is a catalogue as a file.
func written(c words.Catalogue) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "\t")
	err := e.Encode(c)
	return b.Bytes(), err
}
