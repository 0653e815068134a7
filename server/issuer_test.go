package server_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"html"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server"
	"github.com/clisonix/tidechart/server/login"
)

// providerSecret is what the server proves to a provider who it is by.
const providerSecret = "wet-sand-and-eelgrass"

// claims are what a token says.
type claims map[string]any

// issuer is an OpenID Connect provider that says what a test wants it to. e2e has an honest one.
type issuer struct {
	*httptest.Server
	t   *testing.T
	key *rsa.PrivateKey

	mu    sync.Mutex
	codes map[string]grant
}

// grant is what a code is worth.
type grant struct {
	challenge string // of the verifier that has to come with it
	token     string
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &issuer{t: t, key: key, codes: make(map[string]grant)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		p.write(w, http.StatusOK, claims{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/auth", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/jwks",
			"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
			"id_token_signing_alg_values_supported": []string{"RS256", "HS256", "none"},
		})
	})
	mux.HandleFunc("GET /jwks", func(w http.ResponseWriter, _ *http.Request) {
		p.write(w, http.StatusOK, claims{"keys": []claims{{
			"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "1", "n": plain64(key.N.Bytes()), "e": plain64(big.NewInt(int64(key.E)).Bytes()),
		}}})
	})
	mux.HandleFunc("POST /token", p.redeem)
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func (p *issuer) write(w http.ResponseWriter, status int, what any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(what)
}

// redeem gives a token for a code, once, to whoever began.
func (p *issuer) redeem(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	g, known := p.codes[r.FormValue("code")]
	delete(p.codes, r.FormValue("code"))
	p.mu.Unlock()
	sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	if _, secret, ok := r.BasicAuth(); !known || plain64(sum[:]) != g.challenge || !ok || secret != providerSecret {
		p.write(w, http.StatusBadRequest, claims{"error": "invalid_grant"})
		return
	}
	p.write(w, http.StatusOK, claims{"access_token": "access", "token_type": "Bearer", "expires_in": 60, "id_token": g.token})
}

// sign makes a token as a key says it should be.
func (p *issuer) sign(key *rsa.PrivateKey, alg string, c claims) string {
	p.t.Helper()
	head, err := json.Marshal(claims{"alg": alg, "kid": "1", "typ": "JWT"})
	if err != nil {
		p.t.Fatal(err)
	}
	body, err := json.Marshal(c)
	if err != nil {
		p.t.Fatal(err)
	}
	text := plain64(head) + "." + plain64(body)
	if alg == "none" {
		return text + "."
	}
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		p.t.Fatal(err)
	}
	return text + "." + plain64(signature)
}

// honest is what a token says of somebody who has just answered a question.
func (p *issuer) honest(subject string, q url.Values) claims {
	now := time.Now().Unix()
	return claims{
		"iss": p.URL, "aud": "tidechart", "sub": subject, "nonce": q.Get("nonce"), "iat": now, "exp": now + 60, "auth_time": now, "sid": "sid of " + subject,
	}
}

// logout is a logout token.
func (p *issuer) logout(c claims) claims {
	now := time.Now().Unix()
	all := claims{
		"iss": p.URL, "aud": "tidechart", "iat": now, "exp": now + 60, "jti": uuid.NewString(),
		"events": claims{"http://schemas.openid.net/event/backchannel-logout": claims{}},
	}
	maps.Copy(all, c)
	return all
}

// code makes a token worth a code, for the question q.
func (p *issuer) code(q url.Values, token string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	code := uuid.NewString()
	p.codes[code] = grant{q.Get("code_challenge"), token}
	return code
}

// openWith is open with a provider.
func openWith(t *testing.T, but ...func(*server.Config)) (*hospital, *issuer) {
	t.Helper()
	p := newIssuer(t)
	return open(t, append(but, withProvider(p))...), p
}

func withProvider(p *issuer) func(*server.Config) {
	return func(c *server.Config) {
		c.Provider = login.NewProvider(login.ProviderConfig{Issuer: p.URL, ClientID: "tidechart", ClientSecret: providerSecret, Name: "St. Elsewhere"})
	}
}

var leads = regexp.MustCompile(`http-equiv="refresh" content="0;url=([^"]*)"`)

// toProvider sends a browser to the provider, to go to 4 West then, and returns what it is asked there.
func (h *hospital) toProvider(c *http.Client, why, code string) url.Values {
	h.t.Helper()
	return h.toProviderFor(c, why, code, "/units/4-west")
}

func (h *hospital) toProviderFor(c *http.Client, why, code, next string) url.Values {
	h.t.Helper()
	status, page := h.post(c, "/login/provider", url.Values{"for": {why}, "code": {code}, "next": {next}})
	to := leads.FindStringSubmatch(page)
	if status != http.StatusOK || to == nil {
		h.t.Fatalf("to the provider: %d %.500s", status, page)
	}
	at, err := url.Parse(html.UnescapeString(to[1]))
	if err != nil {
		h.t.Fatal(err)
	}
	q := at.Query()
	if at.Path != "/auth" || q.Get("redirect_uri") != here.String()+"/login/provider/callback" || q.Get("code_challenge_method") != "S256" ||
		len(q.Get("state")) < 40 || len(q.Get("nonce")) < 40 || q.Get("scope") != "openid" {
		h.t.Fatalf("the provider is asked %v", at)
	}
	return q
}

// back returns from the provider, as from another site: without the cookies that browsers do not show then.
func (h *hospital) back(c *http.Client, answer url.Values) (status int, next string) {
	h.t.Helper()
	away := h.browser()
	away.Jar.SetCookies(h.at(), ceremonyOf(c.Jar.Cookies(h.at())))
	status, page, _ := h.get(away, "/login/provider/callback?"+answer.Encode())
	if to := leads.FindStringSubmatch(page); to != nil {
		next = html.UnescapeString(to[1])
	}
	if status == http.StatusOK {
		c.Jar.SetCookies(h.at(), []*http.Cookie{loginOf(away, h.at())})
	}
	return status, next
}

// visit goes to the provider, which says that somebody is there, and back.
func (h *hospital) visit(p *issuer, c *http.Client, why, code, subject string) (int, string) {
	h.t.Helper()
	return h.vouch(p, c, h.toProvider(c, why, code), subject)
}

// vouch is the second half of that.
func (h *hospital) vouch(p *issuer, c *http.Client, q url.Values, subject string) (int, string) {
	h.t.Helper()
	return h.back(c, url.Values{"state": {q.Get("state")}, "code": {p.code(q, p.sign(p.key, "RS256", p.honest(subject, q)))}, "iss": {p.URL}})
}
