package main

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

const (
	module   = "github.com/clisonix/tidechart"
	wordsPkg = module + "/web/words"
)

// goCode finds each constant of type words.Text, which is whatever Go code says.
func (f found) goCode(root string) error {
	var names []string
	for _, part := range []string{"web", "server"} {
		err := filepath.WalkDir(filepath.Join(root, part), func(dir string, d fs.DirEntry, err error) error {
			if err != nil || !d.IsDir() {
				return err
			}
			if slices.Contains([]string{"testdata", "extract", "wordstest", "src", "dist"}, d.Name()) {
				return filepath.SkipDir
			}
			name := path.Join(module, filepath.ToSlash(strings.TrimPrefix(dir, root)))
			pkg, err := build.ImportDir(dir, 0)
			if err != nil || name != wordsPkg && !slices.Contains(pkg.Imports, wordsPkg) {
				return nil // not Go, or it says nothing
			}
			names = append(names, name)
			return nil
		})
		if err != nil {
			return err
		}
	}
	load, err := newLoader(root, names)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := f.inPackage(load, name); err != nil {
			return err
		}
	}
	return nil
}

func (f found) inPackage(load *loader, name string) error {
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
	files, _, err := load.check(name, info)
	if err != nil {
		return err
	}
	for _, file := range files {
		in, err := filepath.Rel(load.root, load.files.Position(file.Pos()).Filename)
		if err != nil {
			return err
		}
		in = filepath.ToSlash(in)
		if before, generated := strings.CutSuffix(in, "_templ.go"); generated {
			in = before + ".templ"
		}
		for _, d := range file.Decls {
			where := in
			if decl, ok := d.(*ast.FuncDecl); ok {
				where += " " + decl.Name.Name
			}
			f.inDecl(d, where, info)
		}
	}
	return nil
}

func (f found) inDecl(d ast.Decl, where string, info *types.Info) {
	text := func(e ast.Expr) (string, bool) {
		t, ok := info.Types[e]
		if !ok || t.Value == nil || t.Value.Kind() != constant.String || t.Type.String() != wordsPkg+".Text" {
			return "", false
		}
		return constant.StringVal(t.Value), true
	}
	ast.Inspect(d, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if what, ok := call.Fun.(*ast.SelectorExpr); ok && what.Sel.Name == "Count" && len(call.Args) >= 4 {
				one, isText := text(call.Args[2])
				many, _ := text(call.Args[3])
				if isText {
					f.add(one, many, where)
					for _, a := range slices.Concat(call.Args[:2], call.Args[4:]) {
						f.inExpr(a, where, text)
					}
					return false
				}
			}
		}
		e, ok := n.(ast.Expr)
		if !ok {
			return true
		}
		s, ok := text(e)
		if ok && s != "" {
			f.add("", s, where)
		}
		return !ok
	})
}

// inExpr is inDecl for a part of what is counted.
func (f found) inExpr(e ast.Expr, where string, text func(ast.Expr) (string, bool)) {
	ast.Inspect(e, func(n ast.Node) bool {
		if e, ok := n.(ast.Expr); ok {
			if s, ok := text(e); ok && s != "" {
				f.add("", s, where)
				return false
			}
		}
		return true
	})
}

// loader type-checks packages of the module from their sources, so that they need not compile; what they import beyond is compiled.
type loader struct {
	root     string
	files    *token.FileSet
	packages map[string]*types.Package
	compiled types.Importer
}

// newLoader has what packages import from beyond the module.
func newLoader(root string, names []string) (*loader, error) {
	beyond, seen := map[string]bool{}, map[string]bool{}
	for queue := names; len(queue) > 0; queue = queue[1:] {
		if seen[queue[0]] {
			continue
		}
		seen[queue[0]] = true
		pkg, err := build.ImportDir(filepath.Join(root, filepath.FromSlash(strings.TrimPrefix(queue[0], module))), 0)
		if err != nil {
			return nil, err
		}
		for _, path := range pkg.Imports {
			if strings.HasPrefix(path, module+"/") {
				queue = append(queue, path)
			} else if path != "unsafe" && path != "C" {
				beyond[path] = true
			}
		}
	}
	list := exec.Command("go", append([]string{"list", "-export", "-f", "{{.ImportPath}}={{.Export}}"}, slices.Sorted(maps.Keys(beyond))...)...)
	list.Dir, list.Stderr = root, os.Stderr
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("compile imports: %w", err)
	}
	exports := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "=")
		exports[path] = file
	}
	l := &loader{root: root, files: token.NewFileSet(), packages: map[string]*types.Package{}}
	l.compiled = importer.ForCompiler(l.files, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	return l, nil
}

// Import implements types.Importer.
func (l *loader) Import(name string) (*types.Package, error) {
	if p := l.packages[name]; p != nil {
		return p, nil
	}
	if !strings.HasPrefix(name, module+"/") {
		return l.compiled.Import(name)
	}
	_, p, err := l.check(name, nil)
	l.packages[name] = p
	return p, err
}

// check type-checks a package; without info only what others see of it.
func (l *loader) check(name string, info *types.Info) (files []*ast.File, p *types.Package, err error) {
	dir := filepath.Join(l.root, filepath.FromSlash(strings.TrimPrefix(name, module)))
	pkg, err := build.ImportDir(dir, 0)
	if err != nil {
		return nil, nil, err
	}
	for _, file := range pkg.GoFiles {
		parsed, err := parser.ParseFile(l.files, filepath.Join(dir, file), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, nil, err
		}
		files = append(files, parsed)
	}
	config := types.Config{Importer: l, IgnoreFuncBodies: info == nil}
	p, err = config.Check(name, l.files, files, info)
	return files, p, err
}
