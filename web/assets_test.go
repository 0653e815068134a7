package web

import (
	"compress/gzip"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func TestAssets(t *testing.T) {
	h := Assets()
	get := func(method, path, encoding string) *http.Response {
		r := httptest.NewRequest(method, path, nil)
		r.Header.Set("Accept-Encoding", encoding)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Result()
	}
	plain := string(assets[manifest["app.js"]].body)

	t.Run("plain", func(t *testing.T) {
		r := get("GET", Asset("app.js"), "identity")
		b, err := io.ReadAll(r.Body)
		if err != nil || string(b) != plain {
			t.Errorf("the body differs: %v", err)
		}
		for name, want := range map[string]string{
			"Content-Type": "text/javascript; charset=utf-8", "Cache-Control": "public, max-age=31536000, immutable",
			"Vary": "Accept-Encoding", "X-Content-Type-Options": "nosniff", "Content-Encoding": "",
		} {
			if got := r.Header.Get(name); got != want {
				t.Errorf("%s: %q; want %q", name, got, want)
			}
		}
	})
	t.Run("gzip", func(t *testing.T) {
		r := get("GET", Asset("app.js"), "br, gzip;q=0.5")
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(z); err != nil || string(b) != plain {
			t.Errorf("the body differs: %v", err)
		}
	})
	t.Run("gzip refused", func(t *testing.T) {
		if got := get("GET", Asset("app.js"), "gzip;q=0, *").Header.Get("Content-Encoding"); got != "" {
			t.Errorf("Content-Encoding: %q", got)
		}
	})
	t.Run("no hash, no long caching", func(t *testing.T) {
		if got := get("GET", "/assets/LICENSES.txt", "").Header.Get("Cache-Control"); got != "no-cache" {
			t.Errorf("Cache-Control: %q", got)
		}
	})
	statuses := []struct {
		name, method, path string
		want               int
	}{
		{"head", "HEAD", Asset("app.css"), 200},
		{"post", "POST", Asset("app.css"), 405},
		{"unknown", "GET", "/assets/nothing.js", 404},
		{"the directory", "GET", "/assets/", 404},
		{"upwards", "GET", "/assets/../assets.go", 404},
	}
	for _, tt := range statuses {
		t.Run(tt.name, func(t *testing.T) {
			if got := get(tt.method, tt.path, "").StatusCode; got != tt.want {
				t.Errorf("status %d; want %d", got, tt.want)
			}
		})
	}
}

var declared = regexp.MustCompile(`--(author-\d|ink|raised|ground):\s*#([0-9a-f]{6})`)

// TestAuthorColoursCanBeRead computes the contrast of each author colour with
// its ink (WCAG 1.4.3, 4.5:1) and with the sheet that a caret stands on
// (1.4.11, 3:1), in both themes.
func TestAuthorColoursCanBeRead(t *testing.T) {
	css, err := os.ReadFile(filepath.Join("src", "base.css"))
	if err != nil {
		t.Fatal(err)
	}
	light, dark, ok := strings.Cut(string(css), "\n.dark {")
	if !ok {
		t.Fatal("base.css has no dark theme")
	}
	for name, theme := range map[string]string{"light": light, "dark": dark} {
		t.Run(name, func(t *testing.T) {
			colours := map[string]float64{}
			for _, m := range declared.FindAllStringSubmatch(theme, -1) {
				colours[m[1]] = luminance(t, m[2])
			}
			for i := range 8 {
				author := fmt.Sprintf("author-%d", i)
				l, ok := colours[author]
				if !ok {
					t.Fatalf("%s is not declared", author)
				}
				if c := contrast(l, colours["ink"]); c < 4.5 {
					t.Errorf("%s with its ink: %.2f", author, c)
				}
				if c := contrast(l, colours["raised"]); c < 3 {
					t.Errorf("%s on the sheet: %.2f", author, c)
				}
			}
		})
	}
}

func TestAuthorColorsAreTheStyleSheets(t *testing.T) {
	css, err := os.ReadFile(filepath.Join("src", "base.css"))
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range AuthorColors {
		if want := fmt.Sprintf("--author-%d: %s;", i, c); !strings.Contains(string(css), want) {
			t.Errorf("base.css lacks %q", want)
		}
	}
}

func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	v, err := strconv.ParseUint(hex, 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	part := func(shift uint) float64 {
		c := float64(v>>shift&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*part(16) + 0.7152*part(8) + 0.0722*part(0)
}

func contrast(a, b float64) float64 {
	return (math.Max(a, b) + 0.05) / (math.Min(a, b) + 0.05)
}
