// Extract writes the catalogue of what pages say, web/words/en.json, from the code: make generate runs it.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/clisonix/tidechart/web/words"
)

func main() {
	if err := write("."); err != nil {
		fmt.Fprintln(os.Stderr, "extract:", err)
		os.Exit(1)
	}
}

func write(root string) error {
	content, err := catalogue(root)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, "web", "words", words.English+".json"), content, 0o644)
}

// catalogue is the file of what the code under root says. root is the directory of the module.
func catalogue(root string) ([]byte, error) {
	found := found{}
	if err := found.goCode(root); err != nil {
		return nil, err
	}
	if err := found.scripts(filepath.Join(root, "web", "src")); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "\t")
	err := e.Encode(words.Catalogue{Language: words.English, Messages: found.messages()})
	return b.Bytes(), err
}
