package main

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"

	"github.com/clisonix/tidechart/crdt/prose"
)

// entries are the files that pages name. Code that several of them share goes
// to chunks of its own, so the editor is loaded by note pages only.
var entries = []string{"app.css", "app.ts", "apidocs.ts", "beds.css", "board.ts", "compare.ts", "day.ts", "editor.ts", "history.ts", "live.css", "notes.css", "passkey.ts", "poll.ts", "sessions.ts", "stream.ts", "theme.ts", "threads.css", "unittasks.ts", "worklist.ts"}

// copies are files that are served as they are, under a name with a hash.
// Swagger UI brings its own bundle, which is large and needs no other.
var copies = map[string]string{
	"icon.svg":             "web/src/icon.svg",
	"swagger-ui.css":       "node_modules/swagger-ui-dist/swagger-ui.css",
	"swagger-ui-bundle.js": "node_modules/swagger-ui-dist/swagger-ui-bundle.js",
}

// build makes the files of dist. root is the directory of the module.
func build(root string) (map[string][]byte, error) {
	unused, err := pruned(root)
	if err != nil {
		return nil, err
	}
	bundle := options(root)
	bundle.Plugins = []api.Plugin{unused}
	result := api.Build(bundle)
	if len(result.Errors) > 0 {
		return nil, messages(result.Errors)
	}
	if len(result.Warnings) > 0 {
		return nil, messages(result.Warnings)
	}
	var meta metafile
	if err := json.Unmarshal([]byte(result.Metafile), &meta); err != nil {
		return nil, fmt.Errorf("read the bundler's account: %w", err)
	}
	files := map[string][]byte{}
	for _, f := range result.OutputFiles {
		files[filepath.Base(f.Path)] = f.Contents
	}
	manifest := meta.manifest()
	if err := copyFiles(root, files, manifest); err != nil {
		return nil, err
	}
	notices, err := licenses(root, meta)
	if err != nil {
		return nil, err
	}
	files["LICENSES.txt"] = notices
	m, err := json.MarshalIndent(manifest, "", "  ") // keys are sorted
	if err != nil {
		return nil, fmt.Errorf("write the manifest: %w", err)
	}
	files["manifest.json"] = append(m, '\n')
	return files, nil
}

func options(root string) api.BuildOptions {
	points := make([]string, len(entries))
	for i, e := range entries {
		points[i] = "web/src/" + e
	}
	return api.BuildOptions{
		AbsWorkingDir:     root,
		EntryPoints:       points,
		Outdir:            filepath.Join(root, "web", "dist"),
		PublicPath:        "/assets",
		EntryNames:        "[name]-[hash]",
		ChunkNames:        "chunk-[hash]",
		AssetNames:        "[name]-[hash]",
		Bundle:            true,
		Splitting:         true,
		Format:            api.FormatESModule,
		Platform:          api.PlatformBrowser,
		Target:            api.ES2022,
		MinifyWhitespace:  true,
		MinifyIdentifiers: true,
		MinifySyntax:      true,
		LegalComments:     api.LegalCommentsNone, // all in LICENSES.txt
		Charset:           api.CharsetUTF8,
		Sourcemap:         api.SourceMapNone, // a map would carry paths
		Loader:            map[string]api.Loader{".woff2": api.LoaderFile},
		Define: map[string]string{
			"process.env.NODE_ENV": `"production"`,
			// What the server compares before it lets a browser join a note.
			"SCHEMA_FINGERPRINT": fmt.Sprintf("%q", prose.CurrentSchema().Fingerprint()),
		},
		Metafile: true,
		LogLevel: api.LogLevelSilent,
	}
}

// metafile is what the bundler says of its work.
type metafile struct {
	Inputs  map[string]struct{} `json:"inputs"`
	Outputs map[string]struct {
		EntryPoint string `json:"entryPoint"`
	} `json:"outputs"`
}

// manifest maps what pages ask for, "editor.js", to the file.
func (m metafile) manifest() map[string]string {
	names := map[string]string{}
	for file, out := range m.Outputs {
		if out.EntryPoint == "" {
			continue
		}
		name := strings.TrimSuffix(path.Base(out.EntryPoint), path.Ext(out.EntryPoint)) + path.Ext(file)
		names[name] = path.Base(file)
	}
	return names
}

func copyFiles(root string, files map[string][]byte, manifest map[string]string) error {
	for name, from := range copies {
		b, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(from)))
		if err != nil {
			return fmt.Errorf("copy %s: %w", name, err)
		}
		sum := sha256.Sum256(b)
		hash := base32.StdEncoding.EncodeToString(sum[:])[:8]
		ext := path.Ext(name)
		file := strings.TrimSuffix(name, ext) + "-" + hash + ext
		files[file] = b
		manifest[name] = file
	}
	return nil
}

func messages(list []api.Message) error {
	var errs []error
	for _, m := range list {
		where := ""
		if m.Location != nil {
			where = fmt.Sprintf("%s:%d: ", m.Location.File, m.Location.Line)
		}
		errs = append(errs, fmt.Errorf("%s%s", where, m.Text))
	}
	return errors.Join(errs...)
}
