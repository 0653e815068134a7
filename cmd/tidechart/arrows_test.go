package main

import (
	"errors"
	"go/build"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/clisonix/tidechart/"

// arrows says which of our packages each package may import, and why. Arrows point one way:
// cmd → server → {web, sessions, store, …}, store → {sessions, vault, migrations}, sessions → crdt.
var arrows = map[string]struct {
	to  []string
	why string
}{
	"cmd/tidechart":                    {[]string{"loadtest", "server", "server/audit", "server/demo", "server/login", "server/notekind", "server/postgres", "server/signature", "server/store", "server/transport", "server/vault", "server/vault/transit", "sessions", "web"}, "it wires everything"},
	"crdt":                             {nil, "anyone can use the engine on its own"},
	"crdt/bench":                       {[]string{"crdt"}, "it measures the engine beside others"},
	"crdt/ysync":                       {[]string{"crdt"}, "messages carry ids and nothing of ours"},
	"crdt/prose":                       {[]string{"crdt"}, "a note is read from a document alone"},
	"sessions":                         {[]string{"crdt", "crdt/ysync", "crdt/prose"}, "live editing knows neither HTTP nor Postgres"},
	"sessions/history":                 {[]string{"crdt", "crdt/prose", "sessions"}, "it reads the log that sessions write, and nothing of theirs"},
	"sessions/tally":                   {[]string{"crdt", "sessions"}, "it counts the log that sessions write, and nothing of theirs"},
	"sessions/storetest":               {[]string{"crdt", "sessions"}, "every store is held to one test"},
	"migrations":                       {nil, "it is only SQL"},
	"server":                           {[]string{"crdt", "crdt/prose", "server/access", "server/audit", "server/bedside", "server/login", "server/misread", "server/notekind", "server/signature", "server/store", "server/store/queries", "server/transport", "server/vault", "sessions", "sessions/history", "sessions/tally", "web", "web/paper", "web/words"}, "the edge puts the parts together"},
	"server/access":                    {nil, "policy is a table that knows only roles and acts"},
	"server/login/breached":            {nil, "it is a list"},
	"server/login/breached/build":      {[]string{"server/login/breached"}, "it makes the list"},
	"server/login":                     {[]string{"server/access", "server/audit", "server/login/breached", "server/store", "server/store/queries"}, "people and logins are rows"},
	"server/store":                     {[]string{"crdt", "crdt/prose", "migrations", "server/audit", "server/signature", "server/store/queries", "server/vault", "sessions", "sessions/history", "sessions/tally"}, "it implements what sessions declares, and signs what history says of it"},
	"server/signature":                 {[]string{"crdt", "crdt/prose", "server/audit"}, "whoever checks a signature trusts neither the server nor its database"},
	"server/audit":                     {nil, "whoever checks the log trusts neither the server nor its database"},
	"server/vault":                     {[]string{"internal/ownfile"}, "what seals knows nothing of what is sealed"},
	"server/transport":                 {[]string{"internal/ownfile"}, "what speaks TLS knows nothing of what is said"},
	"server/vault/transit":             {nil, "it asks a key service, and knows nothing of what that seals"},
	"server/vault/transit/transittest": {nil, "it runs one for tests"},
	"server/store/queries":             {nil, "it is generated from SQL"},
	"server/postgres":                  {nil, "it runs a program and knows no schema"},
	"loadtest":                         {[]string{"crdt", "crdt/ysync"}, "it knows a server from outside only"},
	"loadtest/bench":                   {[]string{"loadtest", "server/login", "server/postgres", "server/store", "server/store/queries"}, "it starts a server and gives it people"},
	"internal/vectors":                 {nil, "tests of ciphers read them"},
	"internal/needs":                   {nil, "any test may ask"},
	"internal/ownfile":                 {nil, "it reads a file"},
	"server/postgres/postgrestest":     {[]string{"internal/needs", "server/postgres"}, "it runs one for tests"},
	"server/bedside":                   {[]string{"web/words"}, "it is a list of words"},
	"server/misread":                   {nil, "it is a list of words, and finds them in a text"},
	"server/notekind":                  {[]string{"crdt/prose", "web/words"}, "a kind has a template, and a name"},
	"server/demo":                      {[]string{"crdt/prose", "server/login", "server/notekind", "server/store", "server/store/queries"}, "it is data, and how to seed it"},
	"server/demo/demotest":             {[]string{"server/demo", "server/postgres/postgrestest", "server/store", "server/vault"}, "it copies one for tests"},
	"e2e":                              {[]string{"internal/needs"}, "it knows the product from outside only"},
	"web/paper":                        {[]string{"crdt/prose", "web/words"}, "a copy shows what it is given"},
	"web":                              {[]string{"crdt/prose", "web/paper", "web/words"}, "pages show what they are given and fetch nothing"},
	"web/words":                        {nil, "it knows messages, and no page"},
	"web/words/wordstest":              {[]string{"web/words"}, "a language for tests"},
	"web/words/extract":                {[]string{"web/words"}, "it writes the catalogue"},
	"web/build":                        {[]string{"crdt/prose"}, "the schema's fingerprint is compiled into the editor"},
}

// confined says which packages may import a third-party module, and why no other.
var confined = map[string]struct {
	to  []string
	why string
}{
	"github.com/jackc/pgx/v5":           {[]string{"server/store", "server/store/queries", "server/postgres", "server/postgres/postgrestest"}, "SQL lives in one place"},
	"github.com/pressly/goose/v3":       {[]string{"server/store"}, "the schema changes in one place"},
	"github.com/coder/websocket":        {[]string{"server"}, "sessions see a connection of few methods; a load test reads and writes frames itself, which is cheaper"},
	"github.com/alexedwards/scs/v2":     {[]string{"server/login"}, "logins are kept in one place"},
	"github.com/pquerna/otp":            {[]string{"server/login"}, "codes are checked in one place"},
	"github.com/go-webauthn/webauthn":   {[]string{"server/login"}, "passkeys are checked in one place"},
	"github.com/coreos/go-oidc/v3":      {[]string{"server/login"}, "providers are believed in one place"},
	"golang.org/x/oauth2":               {[]string{"server/login"}, "the same"},
	"codeberg.org/go-pdf/fpdf":          {[]string{"web/paper"}, "one package makes PDFs"},
	"codeberg.org/go-fonts/dejavu":      {[]string{"web/paper"}, "the same"},
	"github.com/boombuler/barcode":      {[]string{"server"}, "one page shows a picture for cameras"},
	"github.com/cloudflare/circl":       {[]string{"server/audit", "server/vault"}, "the standard library seals, and has no ML-DSA yet; this splits a secret, and is what tests compare with"},
	"filippo.io/mldsa":                  {nil, "tests compare with it"},
	"golang.org/x/mod":                  {[]string{"cmd/tidechart", "server", "server/audit", "server/store"}, "it is the tree of one log"},
	"golang.org/x/crypto/argon2":        {[]string{"server/login"}, "passwords are checked in one place"},
	"github.com/danielgtaylor/huma/v2":  {[]string{"server"}, "the API is an edge"},
	"github.com/evanw/esbuild":          {[]string{"web/build"}, "the binary bundles nothing"},
	"github.com/alecthomas/kong":        {[]string{"cmd/tidechart"}, "only the command has a command line"},
	"github.com/schollz/progressbar/v3": {[]string{"cmd/tidechart"}, "the same"},

	// Figures.
	"github.com/prometheus/client_golang": {[]string{"cmd/tidechart"}, "figures are put together in one place"},
}

func TestArrowsPointOneWay(t *testing.T) {
	for _, dir := range packages(t) {
		t.Run(dir, func(t *testing.T) {
			allowed, known := arrows[dir]
			if !known {
				t.Fatalf("package %s is not in the table of arrows", dir)
			}
			pkg, err := build.ImportDir(filepath.Join("../..", dir), 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, path := range pkg.Imports {
				if ours, is := strings.CutPrefix(path, module); is && !slices.Contains(allowed.to, ours) {
					t.Errorf("%s imports %s; but %s", dir, ours, allowed.why)
				}
				for mod, where := range confined {
					if (path == mod || strings.HasPrefix(path, mod+"/")) && !slices.Contains(where.to, dir) {
						t.Errorf("%s imports %s; but %s", dir, path, where.why)
					}
				}
				if first, _, _ := strings.Cut(path, "/"); strings.HasPrefix(dir, "crdt") && strings.Contains(first, ".") && !strings.HasPrefix(path, module) {
					t.Errorf("%s imports %s; the engine needs the standard library only (I12)", dir, path)
				}
			}
		})
	}
}

// TestWebSocketsAreReadInOneFile: everything else in the server sees whole messages.
func TestWebSocketsAreReadInOneFile(t *testing.T) {
	files, err := filepath.Glob("../../server/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, imp := range file.Imports {
			if imp.Path.Value == `"github.com/coder/websocket"` && filepath.Base(name) != "ws.go" && !strings.HasSuffix(name, "_test.go") {
				t.Errorf("%s imports the WebSocket library", name)
			}
		}
	}
}

// packages lists the directories that hold Go code, tests aside.
func packages(t *testing.T) []string {
	t.Helper()
	var dirs []string
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if name := d.Name(); name == "node_modules" || name == "testdata" || name == "data" || strings.HasPrefix(name, ".") && name != ".." {
			return fs.SkipDir
		}
		pkg, err := build.ImportDir(path, 0)
		var none *build.NoGoError
		if errors.As(err, &none) || err == nil && len(pkg.GoFiles) == 0 {
			return nil
		}
		if err != nil {
			return err
		}
		dir, err := filepath.Rel("../..", path)
		dirs = append(dirs, filepath.ToSlash(dir))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return dirs
}
