package e2e

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"
)

// place is a page as somebody sees it.
type place struct {
	name  string
	route string // of the server, as it names it
	user  string // "": nobody is signed in
	path  string // in which {note}, {signed}, {patient}, {session} and {person} stand for those of a scene
	ready string // a selector of what is there when the page is complete
}

// places are all pages of the server; one that several roles see differently is there for each of them.
var places = []place{
	{"sign-in", "/login", "", "/login", "#password"},
	{"enrolment", "/enrol", "", "/enrol", "#new-password"},
	{"worklist-attending", "/{$}", "chen", "/", "#worklist"},
	{"worklist-resident", "/{$}", "okafor", "/", "#worklist"},
	{"worklist-nurse", "/{$}", "rivera", "/", "#worklist"},
	{"worklist-charge-nurse", "/{$}", "haddad", "/", "#worklist"},
	{"worklist-student", "/{$}", "moreau", "/", "#worklist"},
	{"worklist-pharmacist", "/{$}", "sato", "/", "#worklist"},
	{"worklist-privacy-officer", "/{$}", "lindqvist", "/", "#worklist"},
	{"board", "/units/{id}", "haddad", "/units/4-west", "#board"},
	{"unit-tasks", "/units/{id}/tasks", "haddad", "/units/4-west/tasks", "#unit-tasks"},
	{"bed", "/units/{id}/beds/{bed}", "haddad", "/units/4-west/beds/4-west-02", "#severity"},
	{"wall", "/units/{id}/wall", "haddad", "/units/4-west/wall", "#board"},
	{"note", "/notes/{id}", "chen", "/notes/{note}", "#save-status[data-state=saved]"},
	{"note-student", "/notes/{id}", "moreau", "/notes/{note}", "#save-status[data-state=readonly]"},
	{"note-signed", "/notes/{id}", "chen", "/notes/{signed}", "main"},
	{"history", "/notes/{id}/history", "chen", "/notes/{note}/history", "#past .by"},
	{"versions", "/notes/{id}/versions", "chen", "/notes/{note}/versions", "main"},
	{"compare", "/notes/{id}/compare", "chen", "/notes/{note}/compare?from=1", "#compared"},
	{"changes", "/notes/{id}/changes", "chen", "/notes/{note}/changes?since=1", "#compared"},
	{"restore", "/notes/{id}/restore", "chen", "/notes/{note}/restore?at=1", "main form"},
	{"export", "/notes/{id}/export", "chen", "/notes/{note}/export", ".export-ways"},
	{"print", "/notes/{id}/print", "chen", "/notes/{note}/print", ".sheet"},
	{"sign", "/notes/{id}/sign", "okafor", "/notes/{note}/sign", "#sign"},
	{"amend", "/notes/{id}/amend", "chen", "/notes/{signed}/amend", "main form"},
	{"phrases", "/phrases", "chen", "/phrases", "main h1"},
	{"tasks", "/tasks", "chen", "/tasks", "main table"},
	{"cosign", "/cosign", "chen", "/cosign", "#inbox"},
	{"unsigned", "/unsigned", "chen", "/unsigned", "#unsigned"},
	{"unsigned-unit", "/unsigned", "haddad", "/unsigned?of=unit", "#unsigned"},
	{"late", "/late", "chen", "/late", "main"},
	{"own-sign-in", "/security", "chen", "/security", "#logins"},
	{"password", "/security/password", "chen", "/security/password", "main form"},
	{"codes", "/security/codes", "chen", "/security/codes", ".qr"},
	{"confirm", "/confirm", "chen", "/confirm", "#password"},
	{"second-factor", "/second-factor", "chen", "/second-factor", "main"},
	{"glass", "/glass", "brandt", "/glass?note={note}", "#glass"},
	{"reviews-charge-nurse", "/reviews", "haddad", "/reviews", "table.reviews"},
	{"reviews", "/reviews", "lindqvist", "/reviews", "table.reviews"},
	{"activity", "/reviews/activity", "lindqvist", "/reviews/activity", "main"},
	{"log", "/reviews/log", "lindqvist", "/reviews/log", "#acts"},
	{"accesses", "/patients/{id}/accesses", "lindqvist", "/patients/{patient}/accesses", "table.sessions"},
	{"overview", "/admin", "novak", "/admin", "#waiting"},
	{"overview-privacy-officer", "/admin", "lindqvist", "/admin", "#waiting"},
	{"servers", "/admin/system", "novak", "/admin/system", "#servers"},
	{"keys", "/admin/keys", "novak", "/admin/keys", "#keys"},
	{"sessions", "/admin/sessions", "novak", "/admin/sessions", "table.sessions"},
	{"sessions-privacy-officer", "/admin/sessions", "lindqvist", "/admin/sessions", "table.sessions"},
	{"session", "/admin/sessions/{id}", "lindqvist", "/admin/sessions/{session}", "#summary"},
	{"people", "/admin/people", "novak", "/admin/people", "#people"},
	{"person", "/admin/people/{id}", "novak", "/admin/people/{person}", "#work"},
	{"new-person", "/admin/add", "novak", "/admin/add", "#add"},
	{"units", "/admin/units", "novak", "/admin/units", "#units"},
	{"destruction", "/destruction", "novak", "/destruction", "main"},
	{"destruction-privacy-officer", "/destruction", "lindqvist", "/destruction", "main"},
	{"retention", "/retention", "lindqvist", "/retention", "#classes-heading"},
	{"api", "/api/docs", "chen", "/api/docs", "#swagger-ui .info"},
	{"refused", "/notes/{id}", "brandt", "/notes/{note}", ".error"},
	{"nothing-here", "/", "chen", "/no/such/page", ".error"},
}

// noPages are routes that answer with something else.
var noPages = []string{
	"/assets/", "/healthz", "/readyz", "/ws", "/ws/notes/{id}", "/events", "/units/{id}/events", "/units/{id}/tasks/events", "/units/{id}/wall/events", "/admin/sessions/events", "/notes/{id}/standing", "/notes/{id}/comments",
	"/log/checkpoint", "/log/keys", "/log/tile/{tile...}", "/login/provider/callback", "/login/left",
	"/notes/{id}/…", // files of a note, and its page for printing, which is in places
}

// TestNoPageIsForgotten: each route of the server that somebody can look at has its picture, and each of them is there.
func TestNoPageIsForgotten(t *testing.T) {
	routes := routesOf(t, "../server")
	for _, route := range routes {
		if !slices.Contains(noPages, route) && !slices.ContainsFunc(places, func(p place) bool { return p.route == route }) {
			t.Errorf("%s is a page without a picture: add it to places", route)
		}
	}
	for _, p := range places {
		if !slices.Contains(routes, p.route) && p.route != "/notes/{id}/print" {
			t.Errorf("%s: the server has no route %s", p.name, p.route)
		}
	}
}

// routesOf reads from the sources which paths a server answers GET requests of: net/http does not say what a ServeMux holds.
func routesOf(t *testing.T, dir string) (routes []string) {
	t.Helper()
	files := token.NewFileSet()
	//lint:ignore SA1019 one package, without build tags that matter
	all, err := parser.ParseDir(files, dir, func(f fs.FileInfo) bool { return !strings.HasSuffix(f.Name(), "_test.go") }, 0)
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]ast.Expr{}
	for _, f := range all["server"].Files {
		ast.Inspect(f, func(n ast.Node) bool {
			if v, ok := n.(*ast.ValueSpec); ok {
				for i, name := range v.Names {
					if i < len(v.Values) {
						named[name.Name] = v.Values[i]
					}
				}
			}
			return true
		})
	}
	for _, f := range all["server"].Files {
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			if what, ok := call.Fun.(*ast.SelectorExpr); !ok || what.Sel.Name != "Handle" && what.Sel.Name != "HandleFunc" {
				return true
			}
			method, path, found := strings.Cut(routeText(call.Args[0], named), " ")
			switch {
			case found && method == "GET":
				routes = append(routes, path)
			case method == "/":
				routes = append(routes, "/")
			}
			return true
		})
	}
	slices.Sort(routes)
	if routes = slices.Compact(routes); len(routes) < 40 {
		t.Fatalf("found only %d routes: %v", len(routes), routes)
	}
	return routes
}

// routeText is what an expression of strings says; … is what only the running program knows.
func routeText(e ast.Expr, named map[string]ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, _ := strconv.Unquote(e.Value)
		return text
	case *ast.BinaryExpr:
		return routeText(e.X, named) + routeText(e.Y, named)
	case *ast.Ident:
		if value, ok := named[e.Name]; ok {
			return routeText(value, named)
		}
	}
	return "…"
}

// The most that a page may load, in bytes of gzip: what pages with an editor load and no others do, and scripts and styles of any other
// page. The viewer of the API brings its own.
const (
	maxEditor = 200 << 10
	maxPage   = 45 << 10
	maxLater  = 16 << 10 // what the editor loads when somebody first uses it, all together
)

// TestPagesAreLight: no page loads more of scripts and styles than a ward's old computers take in at once, as the page itself and what
// it imports say; and each answers. What an editor loads only once somebody uses it is counted by itself.
func TestPagesAreLight(t *testing.T) {
	t.Parallel()
	s := shared.get(t)
	scene := sceneOf(t, s)
	clients, weights := map[string]*http.Client{"": http.DefaultClient}, map[string]int{}
	editors, others := map[string]int{}, map[string]bool{}
	for _, p := range places {
		c := clients[p.user]
		if c == nil {
			c = s.signIn(t, p.user)
			clients[p.user] = c
		}
		resp, body := fetch(t, c, s.url+scene.Replace(p.path))
		if want := map[string]int{"refused": 403, "nothing-here": 404}[p.name]; resp.StatusCode != max(want, http.StatusOK) {
			t.Errorf("%s: %s", p.name, resp.Status)
		}
		all, total := assetsOf(t, s, body, weights), 0
		for _, asset := range all {
			total += weights[asset]
		}
		t.Logf("%s: %d bytes of gzip", p.name, total)
		switch {
		case strings.Contains(p.path, "/api/docs"):
		case slices.ContainsFunc(all, func(asset string) bool { return strings.HasPrefix(asset, "/assets/editor-") }):
			for _, asset := range all {
				editors[asset] = weights[asset]
			}
		default:
			for _, asset := range all {
				others[asset] = true
			}
			if total > maxPage || total < 10_000 {
				t.Errorf("%s: %d bytes of gzip", p.name, total)
			}
		}
	}
	editor, style := 0, 0
	for asset, weight := range editors {
		switch {
		case others[asset]:
		case strings.HasSuffix(asset, ".css"):
			style += weight
		default:
			editor += weight
		}
	}
	t.Logf("the editor: %d bytes of gzip, its style sheet %d, and what it loads once one can write is not counted", editor, style)
	if editor > maxEditor || editor < 100_000 {
		t.Errorf("the editor has %d bytes of gzip", editor)
	}
	all, later := slices.Collect(maps.Keys(editors)), 0
	for asset := range editors {
		_, body := fetch(t, http.DefaultClient, s.url+asset)
		for _, m := range importedLater.FindAllSubmatch(body, -1) {
			all = withImports(t, s, string(m[1]), weights, all)
		}
	}
	for _, asset := range all[len(editors):] {
		later += weights[asset]
	}
	t.Logf("what it loads on use: %d bytes of gzip in %d files", later, len(all)-len(editors))
	if later > maxLater || later == 0 {
		t.Errorf("what the editor loads on use has %d bytes of gzip", later)
	}
}

// assetsOf are the scripts and styles that a page loads, with what these import.
func assetsOf(t *testing.T, s *server, page []byte, weights map[string]int) (all []string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(string(page)))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		for _, a := range n.Attr {
			if (n.Data == "script" && a.Key == "src" || n.Data == "link" && a.Key == "href") && !strings.HasSuffix(a.Val, ".svg") {
				all = withImports(t, s, a.Val, weights, all)
			}
		}
	}
	return all
}

// What a script loads with itself, and what it loads when it is used.
var (
	imported      = regexp.MustCompile(`(?:from|import) ?"(/assets/[^"]+\.js)"`)
	importedLater = regexp.MustCompile(`import\("(/assets/[^"]+\.js)"\)`)
)

// withImports adds a file, and what it imports, to those that are known.
func withImports(t *testing.T, s *server, asset string, weights map[string]int, known []string) []string {
	t.Helper()
	if slices.Contains(known, asset) {
		return known
	}
	known = append(known, asset)
	resp, body := fetch(t, http.DefaultClient, s.url+asset)
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", asset, resp.Status)
	}
	if weights[asset] == 0 {
		ask, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+asset, nil)
		if err != nil {
			t.Fatal(err)
		}
		ask.Header.Set("Accept-Encoding", "gzip") // then nobody unpacks it
		packed, err := http.DefaultClient.Do(ask)
		if err != nil {
			t.Fatal(err)
		}
		weights[asset] = len(readAll(t, packed))
	}
	if strings.HasSuffix(asset, ".js") {
		for _, m := range imported.FindAllSubmatch(body, -1) {
			known = withImports(t, s, string(m[1]), weights, known)
		}
	}
	return known
}

// schema has a client say that its editor knows all that notes are made of.
func (s *server) schema(t *testing.T, token string) map[string]any {
	t.Helper()
	resp, _ := s.api(t, apiRequest{method: http.MethodGet, path: "/schema", token: token})
	return map[string]any{"schema": resp.Header.Get("Tidechart-Schema")}
}

// sharedScene is that of the server that tests share: somebody breaks the glass there once.
var sharedScene struct {
	once sync.Once
	of   *strings.Replacer
}

func sceneOf(t *testing.T, s *server) *strings.Replacer {
	t.Helper()
	sharedScene.once.Do(func() { sharedScene.of = newScene(t, s) })
	if sharedScene.of == nil {
		t.Fatal("the scene was not made; see the test before")
	}
	return sharedScene.of
}

// newScene has people do what pages are about, and returns what stands for their notes and themselves in the paths of places: a nurse
// writes in a note of a patient whom a resident and an attending have, somebody broke the glass, and a note waits to be cosigned.
func newScene(t *testing.T, s *server) *strings.Replacer {
	t.Helper()
	id := func(sql string, args ...any) (id string) {
		t.Helper()
		if err := s.db(t).QueryRow(t.Context(), sql, args...).Scan(&id); err != nil {
			t.Fatal(err)
		}
		return id
	}
	chen := id(`SELECT id::text FROM person WHERE username = 'chen'`)
	token := s.token(t, "okafor")
	listed := s.notes(t, token)
	i := slices.IndexFunc(listed, func(n apiNote) bool { return n.Kind == "progress" && n.Unit == "4-west" && n.Patient.Bed == "4W-02" })
	if i < 0 {
		t.Fatal("no progress note of 4W-02")
	}
	patient := listed[i].Patient.ID
	note, signed := listed[i].ID, s.newNoteFor(t, token, patient, "progress").ID
	n := startNode(t)
	okafor := n.connect("okafor", hocuspocusV4, s, signed, token)
	okafor.wait(want{"synced": true})
	okafor.fresh()
	okafor.insert(0, "Reviewed on the evening round: breathing is easier, and the patient walked to the door.")
	okafor.wait(want{"unsynced": 0})
	rivera := n.connect("rivera", hocuspocusV4, s, note, s.token(t, "rivera"), s.schema(t, token))
	rivera.wait(want{"synced": true})
	n.must("rivera", "append", map[string]any{"text": "Up to the chair twice, tolerated well."}, nil)
	for _, task := range []struct{ text, due string }{{"Potassium again at 18:00", "2024-05-01T18:00"}, {"Call the heart failure nurse", time.Now().AddDate(0, 0, 1).Format(time.DateOnly)}} {
		n.must("rivera", "task", map[string]any{"text": task.text, "attributes": map[string]any{"owner": chen, "ownerName": "Dr Mei Chen", "due": task.due}}, nil)
	}
	rivera.wait(want{"unsynced": 0})

	resident := s.signIn(t, "okafor")
	_, sheet := fetch(t, resident, s.url+"/notes/"+signed+"/sign")
	form := url.Values{}
	for _, m := range regexp.MustCompile(`name="(as|content|attribution|identity|seq|epoch)" value="([^"]*)"`).FindAllSubmatch(sheet, -1) {
		form.Set(string(m[1]), string(m[2]))
	}
	submit := func(c *http.Client, path string, form url.Values) {
		t.Helper()
		resp, err := c.PostForm(s.url+path, form)
		if err != nil {
			t.Fatal(err)
		}
		if readAll(t, resp); resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s", path, resp.Status)
		}
	}
	submit(resident, "/notes/"+signed+"/sign", form)
	submit(s.signIn(t, "chen"), "/security/codes", nil) // and then looks at what is to go into the app
	opened := listed[slices.IndexFunc(listed, func(n apiNote) bool { return n.Patient.Bed == "4W-03" })]
	submit(s.signIn(t, "brandt"), "/glass", url.Values{
		"note": {opened.ID}, "reason": {"emergency"}, "words": {"Called to the arrest in this bed; the team asks for the history."},
	})
	return strings.NewReplacer(
		"{note}", note, "{signed}", signed, "{patient}", opened.Patient.ID,
		"{session}", id(`SELECT id::text FROM session WHERE note_id = $1 ORDER BY started_at DESC LIMIT 1`, note),
		"{person}", chen,
	)
}
