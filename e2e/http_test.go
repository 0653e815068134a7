package e2e

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// password is what every demo account has.
const password = "tidechart-demo"

// octets is the media type of a Yjs update.
const octets = "application/octet-stream"

// signIn returns a client that holds user's login cookie, as a browser without
// JavaScript would.
func (s *server) signIn(t *testing.T, user string) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Jar: jar, Timeout: patience}
	form := url.Values{"username": {user}, "password": {password}, "next": {"/healthz"}}
	resp, err := c.PostForm(s.url+"/login", form)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.Request.URL.Path != "/healthz" {
		t.Fatalf("sign-in of %s ended at %s with %s", user, resp.Request.URL.Path, resp.Status)
	}
	return c
}

// fetch is a GET with client c, and its body.
func fetch(t *testing.T, c *http.Client, target string) (*http.Response, []byte) {
	t.Helper()
	resp, err := c.Get(target)
	if err != nil {
		t.Fatal(err)
	}
	return resp, readAll(t, resp)
}

func readAll(t *testing.T, resp *http.Response) []byte {
	t.Helper()
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// apiRequest is a call of the HTTP API.
type apiRequest struct {
	method, path string
	token        string
	accept       string
	contentType  string
	body         []byte
}

func (s *server) api(t *testing.T, r apiRequest) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), r.method, s.url+"/api/v1"+r.path, bytes.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range map[string]string{"Accept": r.accept, "Content-Type": r.contentType} {
		if v != "" {
			req.Header.Set(k, v)
		}
	}
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	resp, err := client(&tls.Config{}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return resp, readAll(t, resp)
}

// apiNote is what the API says about a note.
type apiNote struct {
	ID      string `json:"id"`
	Kind    string `json:"kind"`
	LOINC   string `json:"loinc"`
	Title   string `json:"title"`
	Status  string `json:"status"`
	Unit    string `json:"unit"`
	Patient struct {
		ID   string `json:"id"`
		Name string `json:"name"`
		MRN  string `json:"mrn"`
		Bed  string `json:"bed"`
	} `json:"patient"`
}

func (s *server) notes(t *testing.T, token string) []apiNote {
	t.Helper()
	resp, body := s.api(t, apiRequest{method: "GET", path: "/notes", token: token})
	var list struct {
		Notes []apiNote `json:"notes"`
	}
	if err := json.Unmarshal(body, &list); resp.StatusCode != http.StatusOK || err != nil {
		t.Fatalf("GET /notes: %s, %v: %.300s", resp.Status, err, body)
	}
	if len(list.Notes) == 0 {
		t.Fatal("GET /notes lists no note; the demo seeds some")
	}
	return list.Notes
}

// newNote begins a note of a seeded patient and returns its id.
func (s *server) newNote(t *testing.T, token string) string {
	t.Helper()
	like := s.notes(t, token)[0]
	return s.newNoteFor(t, token, like.Patient.ID, "progress").ID
}

func (s *server) newNoteFor(t *testing.T, token, patient, kind string) apiNote {
	t.Helper()
	body, err := json.Marshal(map[string]string{"patient": patient, "kind": kind})
	if err != nil {
		t.Fatal(err)
	}
	resp, answer := s.api(t, apiRequest{method: "POST", path: "/notes", token: token, contentType: "application/json", body: body})
	var n apiNote
	if err := json.Unmarshal(answer, &n); resp.StatusCode/100 != 2 || err != nil || n.ID == "" {
		t.Fatalf("POST /notes: %s, %v: %.300s", resp.Status, err, answer)
	}
	return n
}

// ticket opens one socket of c's login at a note.
func (s *server) ticket(t *testing.T, c *http.Client, note string) string {
	t.Helper()
	resp, err := c.Post(s.url+"/api/v1/notes/"+note+"/ticket", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	var says struct{ Ticket string }
	if body := readAll(t, resp); json.Unmarshal(body, &says) != nil || says.Ticket == "" {
		t.Fatalf("ticket for %s: %s: %.300s", note, resp.Status, body)
	}
	return says.Ticket
}

// state is the note's committed state in the form that accept names.
func (s *server) state(t *testing.T, token, note, accept string) []byte {
	t.Helper()
	resp, body := s.api(t, apiRequest{method: "GET", path: "/notes/" + note + "/state", token: token, accept: accept})
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("GET /notes/%s/state as %s: %s: %.300s", note, accept, resp.Status, body)
	}
	return body
}

// text is the note's committed text.
func (s *server) text(t *testing.T, token, note string) string {
	t.Helper()
	return string(s.state(t, token, note, "text/plain"))
}

// textOf is the text below the element with the id, as written in a page.
func textOf(t *testing.T, page []byte, id string) string {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		for _, a := range n.Attr {
			if a.Key == "id" && a.Val == id {
				return strings.TrimSpace(nodeText(n))
			}
		}
	}
	t.Fatalf("the page has no #%s: %.500s", id, page)
	return ""
}

func nodeText(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}
