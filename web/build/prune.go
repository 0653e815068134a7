package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// Basecoat styles some forty components, of which pages use a dozen. This file leaves the others out of what every page loads.

// pruned is an esbuild plug-in that drops rules of npm's styles for classes that nothing here names.
func pruned(root string) (api.Plugin, error) {
	used, err := wordsOfPages(root)
	if err != nil {
		return api.Plugin{}, err
	}
	return api.Plugin{Name: "pruned", Setup: func(b api.PluginBuild) {
		b.OnLoad(api.OnLoadOptions{Filter: `node_modules/basecoat-css/.*\.css$`}, func(args api.OnLoadArgs) (api.OnLoadResult, error) {
			css, err := os.ReadFile(args.Path)
			if err != nil {
				return api.OnLoadResult{}, err
			}
			text, err := prune(string(css), used)
			return api.OnLoadResult{Contents: &text, Loader: api.LoaderCSS, ResolveDir: filepath.Dir(args.Path)}, err
		})
	}}, nil
}

var word = regexp.MustCompile(`[A-Za-z][A-Za-z0-9_-]*`)

// wordsOfPages are all that may be a class: each word of templates, of what prepares their views, and of scripts.
func wordsOfPages(root string) (map[string]bool, error) {
	used := map[string]bool{}
	for _, pattern := range []string{"web/*.templ", "web/*.go", "web/src/*.ts"} {
		files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		if err != nil || len(files) == 0 {
			return nil, fmt.Errorf("read words of pages: nothing matches %s (%w)", pattern, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_templ.go") || strings.HasSuffix(file, "_test.go") {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				return nil, fmt.Errorf("read words of pages: %w", err)
			}
			for _, w := range word.FindAllString(string(text), -1) {
				used[w] = true
			}
		}
	}
	return used, nil
}

var comment = regexp.MustCompile(`(?s)/\*.*?\*/`)

// prune returns css without the rules that apply to no element of a page which has the used classes alone.
func prune(css string, used map[string]bool) (string, error) {
	p := pruner{css: comment.ReplaceAllString(css, ""), used: used}
	kept := p.block()
	if p.at < len(p.css) {
		return "", fmt.Errorf("prune styles: a brace too many at byte %d", p.at)
	}
	return kept, nil
}

// pruner walks through a style sheet: statements, and blocks of them.
type pruner struct {
	css  string
	at   int
	used map[string]bool
}

// block returns what of the statements up to a closing brace, or the end, is of use.
func (p *pruner) block() string {
	var kept strings.Builder
	for p.at < len(p.css) && p.css[p.at] != '}' {
		head := p.head()
		if p.at >= len(p.css) || p.css[p.at] != '{' {
			if kept.WriteString(head); p.at < len(p.css) && p.css[p.at] == ';' {
				kept.WriteByte(';')
				p.at++
			}
			continue
		}
		p.at++
		body := p.block()
		p.at++ // the closing brace
		name := strings.TrimSpace(head)
		if !strings.HasPrefix(name, "@") && !ofKeyframes(name) {
			head = p.selectors(name)
		}
		if strings.TrimSpace(head) != "" && (strings.TrimSpace(body) != "" || strings.HasPrefix(name, "@layer")) {
			kept.WriteString(head + "{" + body + "}")
		}
	}
	return kept.String()
}

// ofKeyframes reports whether a block is a step of an animation.
func ofKeyframes(name string) bool {
	return name == "from" || name == "to" || strings.HasSuffix(name, "%")
}

// head reads up to what ends a declaration, or begins or ends a block.
func (p *pruner) head() string {
	from, depth, quote := p.at, 0, byte(0)
	for ; p.at < len(p.css); p.at++ {
		switch c := p.css[p.at]; {
		case c == '\\':
			p.at++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '(' || c == '[':
			depth++
		case c == ')' || c == ']':
			depth--
		case depth == 0 && (c == ';' || c == '{' || c == '}'):
			return p.css[from:p.at]
		}
	}
	return p.css[from:min(p.at, len(p.css))]
}

var class = regexp.MustCompile(`\.(-?[A-Za-z_](?:[A-Za-z0-9_-]|\\.)*)`)

// selectors are those of a list that may match something: each class that they demand is used.
func (p *pruner) selectors(list string) string {
	var kept []string
	for _, one := range split(list) {
		needed := true
		for _, c := range class.FindAllStringSubmatch(outside(one), -1) {
			needed = needed && p.used[c[1]]
		}
		if needed {
			kept = append(kept, one)
		}
	}
	return strings.Join(kept, ",")
}

// split cuts a list of selectors at its own commas.
func split(list string) (all []string) {
	depth, from := 0, 0
	for i, c := range list {
		switch c {
		case '(', '[':
			depth++
		case ')', ']':
			depth--
		case ',':
			if depth == 0 {
				all, from = append(all, list[from:i]), i+1
			}
		}
	}
	return append(all, list[from:])
}

// outside is a selector without what stands in parentheses and brackets: alternatives, what must not be, and values.
func outside(selector string) string {
	var b strings.Builder
	depth := 0
	for _, c := range selector {
		switch c {
		case '(', '[':
			depth++
		case ')', ']':
			depth--
		default:
			if depth == 0 {
				b.WriteRune(c)
			}
		}
	}
	return b.String()
}
