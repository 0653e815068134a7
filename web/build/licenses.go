package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// licenses collects the notices of every package that went into dist.
func licenses(root string, meta metafile) ([]byte, error) {
	packages := map[string]bool{"swagger-ui-dist": true} // copied, not bundled
	for input := range meta.Inputs {
		if name, ok := packageOf(input); ok {
			packages[name] = true
		}
	}
	var out bytes.Buffer
	out.WriteString("The scripts, styles and fonts in this directory contain the following packages.\n")
	for _, name := range slices.Sorted(maps.Keys(packages)) {
		if err := notice(&out, filepath.Join(root, "node_modules", filepath.FromSlash(name))); err != nil {
			return nil, fmt.Errorf("license of %s: %w", name, err)
		}
	}
	return out.Bytes(), nil
}

// packageOf is the npm package that an input file belongs to.
func packageOf(input string) (string, bool) {
	_, rest, ok := strings.Cut(filepath.ToSlash(input), "node_modules/")
	if !ok {
		return "", false
	}
	parts := strings.SplitN(rest, "/", 3)
	if strings.HasPrefix(rest, "@") && len(parts) > 1 {
		return parts[0] + "/" + parts[1], true
	}
	return parts[0], true
}

// notice writes a package's name, version, license and license files.
func notice(out *bytes.Buffer, dir string) error {
	b, err := os.ReadFile(filepath.Join(dir, "package.json"))
	if err != nil {
		return err
	}
	var p struct{ Name, Version, License string }
	if err := json.Unmarshal(b, &p); err != nil {
		return err
	}
	if p.License == "" {
		return fmt.Errorf("package.json names none")
	}
	fmt.Fprintf(out, "\n%s\n%s %s (%s)\n", strings.Repeat("=", 72), p.Name, p.Version, p.License)
	names, err := os.ReadDir(dir) // sorted by name
	if err != nil {
		return err
	}
	for _, f := range names {
		upper := strings.ToUpper(f.Name())
		if f.IsDir() || !(strings.Contains(upper, "LICENSE") || strings.Contains(upper, "LICENCE") || upper == "NOTICE") {
			continue
		}
		// Swagger UI ships its notices once per bundle; ours is the first.
		if strings.HasPrefix(f.Name(), "swagger-ui-") && f.Name() != "swagger-ui-bundle.js.LICENSE.txt" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return err
		}
		out.WriteByte('\n')
		out.Write(bytes.TrimSpace(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))))
		out.WriteByte('\n')
	}
	return nil
}
