package web

import (
	"bytes"
	"compress/gzip"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

// dist is written by web/build and committed, so that a build of the binary
// needs neither Node nor a bundler.
//
//go:embed all:dist
var dist embed.FS

// manifest maps the name of an asset to its file in dist, which carries a hash
// of its content.
var manifest = must(readManifest())

// assets are the files of dist by name.
var assets = must(readAssets())

// asset is a file as it is served.
type asset struct {
	mime   string
	body   []byte
	packed func() []byte // gzip of body, made when first asked for; nil if it would not help
}

func must[T any](v T, err error) T {
	if err != nil {
		// The files are part of the binary: this is a broken build.
		panic(fmt.Sprintf("embedded assets: %v", err))
	}
	return v
}

func readManifest() (map[string]string, error) {
	b, err := dist.ReadFile("dist/manifest.json")
	if err != nil {
		return nil, err
	}
	m := map[string]string{}
	return m, json.Unmarshal(b, &m)
}

// types are the MIME types of what may lie in dist; they do not depend on the
// tables of the machine. Text is worth compressing.
var types = map[string]struct {
	mime string
	text bool
}{
	".css":   {"text/css; charset=utf-8", true},
	".js":    {"text/javascript; charset=utf-8", true},
	".json":  {"application/json", true},
	".svg":   {"image/svg+xml", true},
	".txt":   {"text/plain; charset=utf-8", true},
	".woff2": {"font/woff2", false},
}

func readAssets() (map[string]asset, error) {
	all := map[string]asset{}
	err := fs.WalkDir(dist, "dist", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		t, ok := types[path.Ext(name)]
		if !ok {
			return fmt.Errorf("%s: no type for this kind of file", name)
		}
		body, err := dist.ReadFile(name)
		if err != nil {
			return err
		}
		a := asset{mime: t.mime, body: body}
		if t.text {
			a.packed = sync.OnceValue(func() []byte { return pack(body) })
		}
		all[strings.TrimPrefix(name, "dist/")] = a
		return nil
	})
	return all, err
}

// pack is gzip at its best level; it is done once per file and process.
func pack(b []byte) []byte {
	var out bytes.Buffer
	z := must(gzip.NewWriterLevel(&out, gzip.BestCompression))
	_, _ = z.Write(b) // a bytes.Buffer does not fail
	_ = z.Close()
	return out.Bytes()
}

// Asset is the path of a built asset: Asset("editor.js") is
// "/assets/editor-1A2B3C4D.js". A name that was not built yields a path that
// answers 404; a test asks for every name that pages use.
func Asset(name string) string {
	if file, ok := manifest[name]; ok {
		return "/assets/" + file
	}
	return "/assets/" + name
}

// Assets serves dist at /assets/. Names carry a hash of the content, so a
// browser may keep what it has for ever.
func Assets() http.Handler {
	return http.StripPrefix("/assets/", http.HandlerFunc(serveAsset))
}

func serveAsset(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	a, ok := assets[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	body := a.body
	if a.packed != nil {
		h.Set("Vary", "Accept-Encoding")
		if acceptsGzip(r) {
			body = a.packed()
			h.Set("Content-Encoding", "gzip")
		}
	}
	h.Set("Content-Type", a.mime)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	if r.URL.Path == "manifest.json" || r.URL.Path == "LICENSES.txt" {
		h.Set("Cache-Control", "no-cache") // these two names never change
	}
	if r.Method == http.MethodGet {
		_, _ = w.Write(body) // the reader may leave at any time
	}
}

// acceptsGzip reads Accept-Encoding as far as it matters: gzip is named and
// not refused.
func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		coding, params, _ := strings.Cut(part, ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		q, found := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q=")
		v, err := strconv.ParseFloat(q, 64)
		return !found || (err == nil && v > 0)
	}
	return false
}
