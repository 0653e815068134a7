// Package transittest runs a key service for tests: an OpenBao, if TIDECHART_OPENBAO names the program that make test-kms builds, and else
// one of its own that answers as that does. Both are operated through the documented HTTP API only, so that each test is the same on
// either.
package transittest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// openbao names the program that is used instead of this package's own server.
const openbao = "TIDECHART_OPENBAO"

// KeyName is the transit key that a new service has.
const KeyName = "tidechart"

// Service is a key service with one key and a token that may use it.
type Service struct {
	URL   string // of the key
	CA    string // file
	Token string

	t      testing.TB
	line   *line
	root   string
	unseal string
	client *http.Client
}

// Start starts a service, which ends with the test.
func Start(t testing.TB) *Service {
	t.Helper()
	dir := t.TempDir()
	cert, roots := certificate(t, dir)
	s := &Service{t: t, CA: filepath.Join(dir, "cert.pem")}
	s.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}, Timeout: 10 * time.Second}
	t.Cleanup(s.client.CloseIdleConnections)
	behind := ""
	if program := os.Getenv(openbao); program != "" {
		behind = startOpenBao(t, program, dir)
	} else {
		own := httptest.NewUnstartedServer(newServer())
		own.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
		own.StartTLS()
		t.Cleanup(own.Close)
		behind = own.Listener.Addr().String()
	}
	s.line = newLine(t, behind)
	s.URL = s.address() + "/v1/transit/keys/" + KeyName

	var begun struct {
		Keys      []string
		RootToken string `json:"root_token"`
	}
	s.Do("PUT", "sys/init", map[string]any{"secret_shares": 1, "secret_threshold": 1}, &begun)
	s.unseal, s.root = begun.Keys[0], begun.RootToken
	s.Unseal()
	s.Token = s.engine("")
	return s
}

// engine mounts the transit engine with a key, and returns a token that may use that.
func (s *Service) engine(namespace string) string {
	s.t.Helper()
	s.in(namespace, "POST", "sys/mounts/transit", map[string]any{"type": "transit"}, nil)
	s.in(namespace, "POST", "transit/keys/"+KeyName, map[string]any{}, nil)
	return s.newToken(namespace, "encrypt", "decrypt")
}

// Namespace makes a namespace with a key of the same name, and returns a token of it.
func (s *Service) Namespace(name string) string {
	s.t.Helper()
	s.Do("POST", "sys/namespaces/"+name, map[string]any{}, nil)
	return s.engine(name)
}

func (s *Service) address() string { return "https://" + s.line.listener.Addr().String() }

// NewToken makes a token that may only do that with the key.
func (s *Service) NewToken(may ...string) string {
	s.t.Helper()
	return s.newToken("", may...)
}

func (s *Service) newToken(namespace string, may ...string) string {
	s.t.Helper()
	paths := make(map[string]any)
	for _, operation := range may {
		paths["transit/"+operation+"/"+KeyName] = map[string]any{"capabilities": []string{"update"}}
	}
	policy, err := json.Marshal(map[string]any{"path": paths})
	if err != nil {
		s.t.Fatal(err)
	}
	name := "may-" + rand.Text()
	s.in(namespace, "PUT", "sys/policies/acl/"+name, map[string]any{"policy": string(policy)}, nil)
	var made struct {
		Auth struct {
			ClientToken string `json:"client_token"`
		}
	}
	s.in(namespace, "POST", "auth/token/create", map[string]any{"policies": []string{name}, "period": "1h"}, &made)
	return made.Auth.ClientToken
}

// Revoke ends a token.
func (s *Service) Revoke(token string) {
	s.t.Helper()
	s.Do("POST", "auth/token/revoke", map[string]any{"token": token}, nil)
}

// Rotate gives the key another version.
func (s *Service) Rotate() {
	s.t.Helper()
	s.Do("POST", "transit/keys/"+KeyName+"/rotate", map[string]any{}, nil)
}

// GiveUp has the key open nothing that older versions than that sealed.
func (s *Service) GiveUp(version int) {
	s.t.Helper()
	s.Do("POST", "transit/keys/"+KeyName+"/config", map[string]any{"min_decryption_version": version}, nil)
}

// Seal has the service answer nobody until [Service.Unseal].
func (s *Service) Seal() {
	s.t.Helper()
	s.Do("PUT", "sys/seal", nil, nil)
}

// Unseal returns when the service answers.
func (s *Service) Unseal() {
	s.t.Helper()
	s.Do("PUT", "sys/unseal", map[string]any{"key": s.unseal}, nil)
	for range 100 { // the answer comes before it is its own leader
		resp, err := s.client.Get(s.address() + "/v1/sys/health")
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		<-time.After(50 * time.Millisecond)
	}
	s.t.Fatal("the key service does not become active")
}

// Away has nobody reach the service any more, until [Service.Back].
func (s *Service) Away() { s.line.cut() }

// Back ends that.
func (s *Service) Back() { s.line.mend() }

// Silent has the service take connections and answer none.
func (s *Service) Silent() { s.line.hang() }

// Do calls the service as its operator. into may be nil.
func (s *Service) Do(method, path string, body map[string]any, into any) {
	s.t.Helper()
	s.in("", method, path, body, into)
}

func (s *Service) in(namespace, method, path string, body map[string]any, into any) {
	s.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.address()+"/v1/"+path, bytes.NewReader(text))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("X-Vault-Token", s.root)
	if namespace != "" {
		req.Header.Set("X-Vault-Namespace", namespace)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= http.StatusBadRequest {
		s.t.Fatalf("%s %s: %s: %s, %v", method, path, resp.Status, answer, err)
	}
	if into != nil {
		if err := json.Unmarshal(answer, into); err != nil {
			s.t.Fatal(err)
		}
	}
}

// startOpenBao starts the program, and returns its address.
func startOpenBao(t testing.TB, program, dir string) string {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-listen", address, "-cert", filepath.Join(dir, "cert.pem"), "-key", filepath.Join(dir, "key.pem"))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe() // its end is that of the program
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	for range 200 {
		if conn, err := net.Dial("tcp", address); err == nil {
			_ = conn.Close()
			return address
		}
		<-time.After(50 * time.Millisecond)
	}
	t.Fatal("OpenBao does not listen")
	return ""
}

// certificate makes one for this machine, and writes it to dir.
func certificate(t testing.TB, dir string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "key service"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
	for name, text := range map[string][]byte{"cert.pem": certPEM, "key.pem": keyPEM} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cert, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(certPEM)
	return cert, roots
}
