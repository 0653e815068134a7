package main

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

var (
	// A message in a script is a literal: say('…'), sayCount(n, '…', '…').
	literal   = `'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"`
	saying    = regexp.MustCompile(`(?:^|[^#.\w])say\(\s*(?:` + literal + `)`)
	counting  = regexp.MustCompile(`\bsayCount\(\s*[^'"]*?,\s*(?:` + literal + `),\s*(?:` + literal + `)`)
	importing = regexp.MustCompile(`(?m)(?:^import (?:[^'"\n]*? from )?|^export [^'"\n]* from |\bimport\()'\./([a-z]+\.ts)'|^\} from '\./([a-z]+\.ts)'`)
	typeOnly  = regexp.MustCompile(`(?m)^import type .*$`)
)

// scripts finds what scripts say, and which of those that pages name lead to it: they are the ones that no other imports.
func (f found) scripts(dir string) error {
	names, err := filepath.Glob(filepath.Join(dir, "*.ts"))
	if err != nil {
		return err
	}
	imports, sources, imported := map[string][]string{}, map[string]string{}, map[string]bool{}
	for _, name := range names {
		base := filepath.Base(name)
		if strings.HasSuffix(base, ".test.ts") || strings.HasSuffix(base, ".d.ts") {
			continue
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		sources[base] = typeOnly.ReplaceAllString(string(content), "")
		for _, m := range importing.FindAllStringSubmatch(sources[base], -1) {
			to := m[1] + m[2]
			imports[base] = append(imports[base], to)
			imported[to] = true
		}
	}
	for _, entry := range slices.Sorted(maps.Keys(sources)) {
		if imported[entry] {
			continue
		}
		reached, queue := map[string]bool{entry: true}, []string{entry}
		for ; len(queue) > 0; queue = queue[1:] {
			f.inScript("web/src/"+queue[0], sources[queue[0]], strings.TrimSuffix(entry, ".ts")+".js")
			for _, to := range imports[queue[0]] {
				if !reached[to] {
					reached[to] = true
					queue = append(queue, to)
				}
			}
		}
	}
	return nil
}

func (f found) inScript(name, source, script string) {
	for _, m := range saying.FindAllStringSubmatch(source, -1) {
		f.add("", unquoted(m[1]+m[2]), name).scripts[script] = true
	}
	for _, m := range counting.FindAllStringSubmatch(source, -1) {
		f.add(unquoted(m[1]+m[2]), unquoted(m[3]+m[4]), name).scripts[script] = true
	}
}

// unquoted is what a literal says. Messages have no line breaks.
func unquoted(s string) string { return regexp.MustCompile(`\\(.)`).ReplaceAllString(s, "$1") }
