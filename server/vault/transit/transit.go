// Package transit seals a few bytes by a key of a HashiCorp Vault or an OpenBao, which does not give it away: their transit secrets
// engine, as its HTTP API documents it (POST /v1/transit/encrypt/:name and decrypt/:name).
//
// Every request ends in time. What may pass, such as a service that is away or sealed itself, is tried again, more and more seldom,
// as long as the caller's context lasts; what does not pass, such as a token that may not, is an error at once.
package transit

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"
)

// Limits of a request (I10).
const (
	requestTimeout = 5 * time.Second        // one try
	firstPause     = 250 * time.Millisecond // between two tries; doubles
	longestPause   = 10 * time.Second
	maxAnswer      = 64 << 10 // bytes
	maxRedirects   = 2        // from a node of a cluster that is not its leader
	maxSealed      = 1536     // of what it seals
	maxWords       = 200      // bytes of what the service says about an error
)

// Errors of a key service. What is wrapped in them says which it was, and has neither key, nor token, nor what was to be sealed.
var (
	// ErrAway means that the service does not answer now, or cannot: it may later.
	ErrAway = errors.New("the key service is away")
	// ErrRefused means that it answers, and refuses: it will again.
	ErrRefused = errors.New("the key service refuses")
)

// Config says which key it is, and how it is reached.
type Config struct {
	URL       string                                // of the key, as in https://vault.example:8200/v1/transit/keys/tidechart
	Namespace string                                // of the service; empty: none
	CAFile    string                                // certificates that the service's is signed by, PEM; empty: those of this machine
	Token     func(context.Context) (string, error) // asked for each try; an error counts as [ErrAway]; an empty one is not sent
	Retrying  func(error)                           // told before each further try; nil: nobody is
}

// Key is one key of a service. Any number of goroutines may use it.
type Key struct {
	service   *url.URL // without the path
	mount     string
	name      string
	namespace string
	token     func(context.Context) (string, error)
	retrying  func(error)
	client    *http.Client
}

var keyPath = regexp.MustCompile(`^/v1/([A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*)/keys/([A-Za-z0-9._-]+)$`)

// New checks c, and asks the service nothing.
func New(c Config) (*Key, error) {
	u, err := url.Parse(c.URL)
	if err != nil {
		return nil, errors.New("the key service's address is none")
	}
	path := keyPath.FindStringSubmatch(u.Path)
	switch {
	case u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())):
		return nil, errors.New("the key service's address begins with https://, or with http:// for an agent on this machine")
	case path == nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("the key service's address is that of a transit key, as in https://vault.example:8200/v1/transit/keys/tidechart")
	}
	roots, err := readCA(c.CAFile)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConns: 1, IdleConnTimeout: time.Minute,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots}, // which offers X25519MLKEM768 first
	}
	k := &Key{
		service: &url.URL{Scheme: u.Scheme, Host: u.Host}, mount: path[1], name: path[2], namespace: c.Namespace, token: c.Token, retrying: c.Retrying,
		client: &http.Client{Transport: transport, CheckRedirect: follow},
	}
	if k.token == nil {
		k.token = func(context.Context) (string, error) { return "", nil }
	}
	if k.retrying == nil {
		k.retrying = func(error) {}
	}
	return k, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func readCA(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil // those of this machine
	}
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("certificates of the key service: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("certificates of the key service: there is none in %s", path)
	}
	return roots, nil
}

// follow goes from a node of a cluster to its leader, and nowhere that is less safe.
func follow(to *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects || to.URL.Scheme != via[0].URL.Scheme || to.Method != via[0].Method {
		return http.ErrUseLastResponse
	}
	return nil
}

// String is the key's address, as operators see it.
func (k *Key) String() string { return k.service.JoinPath("v1", k.mount, "keys", k.name).String() }

// Seal returns what only [Key.Open] opens, and only as long as the service has the key: a line that begins with vault:v and the version of
// the key.
func (k *Key) Seal(ctx context.Context, plain []byte) (string, error) {
	encoded := base64.StdEncoding.EncodeToString(plain)
	answer, err := k.ask(ctx, request{path: k.path("encrypt"), body: map[string]string{"plaintext": encoded}, secret: encoded})
	if err != nil {
		return "", fmt.Errorf("seal by %v: %w", k, err)
	}
	if !isSealed(answer.Ciphertext) {
		return "", fmt.Errorf("seal by %v: %w: it answers, and not with a ciphertext", k, ErrRefused)
	}
	return answer.Ciphertext, nil
}

var ciphertext = regexp.MustCompile(`^vault:v[0-9]{1,9}:[A-Za-z0-9+/=]+$`)

func isSealed(text string) bool { return len(text) <= maxSealed && ciphertext.MatchString(text) }

// Open returns what was sealed.
func (k *Key) Open(ctx context.Context, sealed string) ([]byte, error) {
	if !isSealed(sealed) {
		return nil, fmt.Errorf("open by %v: this is not sealed by a transit key", k)
	}
	answer, err := k.ask(ctx, request{path: k.path("decrypt"), body: map[string]string{"ciphertext": sealed}})
	if err != nil {
		return nil, fmt.Errorf("open by %v: %w", k, err)
	}
	plain, err := base64.StdEncoding.DecodeString(answer.Plaintext)
	if err != nil || len(plain) == 0 {
		return nil, fmt.Errorf("open by %v: %w: it answers, and not with a plaintext", k, ErrRefused)
	}
	return plain, nil
}

// Renew prolongs the token, if it is one that can be prolonged.
func (k *Key) Renew(ctx context.Context) error {
	if _, err := k.ask(ctx, request{path: "/v1/auth/token/renew-self", body: map[string]string{}}); err != nil {
		return fmt.Errorf("renew the token at %v: %w", k.service, err)
	}
	return nil
}

func (k *Key) path(operation string) string { return "/v1/" + k.mount + "/" + operation + "/" + k.name }

// request is what is asked; secret is never part of an error.
type request struct {
	path   string
	body   map[string]string
	secret string
}

// answer is what is read of one.
type answer struct{ Ciphertext, Plaintext string }

// ask asks until there is an answer, a refusal, or ctx has ended.
func (k *Key) ask(ctx context.Context, r request) (answer, error) {
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		a, err := k.try(ctx, r)
		if err == nil || !errors.Is(err, ErrAway) {
			return a, err
		}
		if ctx.Err() != nil {
			return answer{}, err
		}
		k.retrying(err)
		timer := time.NewTimer(pause/2 + rand.N(pause/2)) // servers that start at once do not ask at once
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return answer{}, err
		}
	}
}

// try asks once.
func (k *Key) try(ctx context.Context, r request) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	body, err := json.Marshal(r.body)
	if err != nil {
		return answer{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, k.service.JoinPath(r.path).String(), bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	token, err := k.token(ctx)
	if err != nil {
		return answer{}, fmt.Errorf("%w: its token: %w", ErrAway, err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Vault-Request", "true") // an agent may want it, against forged requests
	if token != "" {
		req.Header.Set("X-Vault-Token", token)
	}
	if k.namespace != "" {
		req.Header.Set("X-Vault-Namespace", k.namespace)
	}
	resp, err := k.client.Do(req)
	if err != nil {
		return answer{}, unreached(err)
	}
	defer func() { _ = resp.Body.Close() }() // only read
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return answer{}, fmt.Errorf("%w: its answer breaks off", ErrAway)
	}
	if resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusNoContent {
		return read(text)
	}
	return answer{}, refused(resp.StatusCode, words(text, token, r.secret))
}

func read(text []byte) (answer, error) {
	var a struct{ Data answer }
	if len(text) > maxAnswer || json.Unmarshal(text, &a) != nil {
		return answer{}, fmt.Errorf("%w: its answer is none of the transit engine's", ErrRefused)
	}
	return a.Data, nil
}

// unreached says why there is no answer. A certificate that is not good does not get better by asking again.
func unreached(err error) error {
	if failed := (*url.Error)(nil); errors.As(err, &failed) {
		err = failed.Err // the address is said already
	}
	if bad := (*tls.CertificateVerificationError)(nil); errors.As(err, &bad) {
		return fmt.Errorf("%w to be who it should be: %w; --kms-ca names the certificates that are believed", ErrRefused, bad)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w: it does not answer in time", ErrAway)
	}
	return fmt.Errorf("%w: %w", ErrAway, err)
}

// refused says what an answer that is an error means.
func refused(status int, words string) error {
	kind, means := ErrRefused, ""
	switch status {
	case http.StatusForbidden:
		means = "the token may not use this key, or is not valid any more"
	case http.StatusNotFound:
		means = "there is no such transit engine"
	case http.StatusPreconditionFailed, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusGatewayTimeout:
		kind = ErrAway
	case http.StatusServiceUnavailable:
		kind, means = ErrAway, "it is sealed, or in maintenance"
	}
	text := http.StatusText(status)
	for _, more := range []string{means, words} {
		if more != "" {
			text += "; " + more
		}
	}
	return fmt.Errorf("%w: %d %s", kind, status, text)
}

// words are what the service says of an error, if they are fit to be repeated: a proxy in between, or a service that is not what it should
// be, may echo what it was sent.
func words(text []byte, token, secret string) string {
	var said struct{ Errors []string }
	if len(text) > maxAnswer || json.Unmarshal(text, &said) != nil || len(said.Errors) == 0 {
		return ""
	}
	all := strings.Join(strings.Fields(strings.Join(said.Errors, ", ")), " ")
	for _, hidden := range []string{token, secret} {
		if hidden != "" && strings.Contains(all, hidden[:min(len(hidden), 12)]) {
			return ""
		}
	}
	if len(all) > maxWords {
		all = strings.ToValidUTF8(all[:maxWords], "") + " …"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, all)
}

// Version says which version of the service's key sealed something; it is part of that.
func Version(sealed string) string {
	parts := strings.SplitN(sealed, ":", 3)
	if len(parts) != 3 || !isSealed(sealed) {
		return "unknown"
	}
	return strings.TrimPrefix(parts[1], "v")
}
