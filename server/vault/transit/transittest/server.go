package transittest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// server is a transit engine with what is around it, as far as the API's documentation goes for what is used here; its errors are worded as
// OpenBao's.
type server struct {
	mu         sync.Mutex
	root       string
	unsealKey  string // empty: not initialised
	sealed     bool
	namespaces map[string]bool
	mounts     map[string]bool // by namespace and path
	keys       map[string]*versions
	policies   map[string]map[string][]string // capabilities by path
	tokens     map[string][]string            // policies
}

// versions are those of one key, from 1.
type versions struct {
	ciphers []cipher.AEAD
	least   int // that still opens
}

func newServer() *server {
	return &server{
		sealed: true, namespaces: map[string]bool{"": true}, mounts: make(map[string]bool), keys: make(map[string]*versions),
		policies: make(map[string]map[string][]string), tokens: make(map[string][]string),
	}
}

// fault is an error of the API.
type fault struct {
	status int
	text   string
}

func (f fault) Error() string { return f.text }

type object = map[string]any

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var body object
	_ = json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&body) // none is an empty one
	answer, err := s.answer(r, strings.TrimPrefix(r.URL.Path, "/v1/"), body)
	w.Header().Set("Content-Type", "application/json")
	switch f, is := err.(fault); {
	case is:
		w.WriteHeader(f.status)
		answer = object{"errors": []string{f.text}}
	case answer == nil:
		w.WriteHeader(http.StatusNoContent)
		return
	}
	_ = json.NewEncoder(w).Encode(answer) // who has gone is not told
}

func (s *server) answer(r *http.Request, path string, body object) (object, error) {
	switch path {
	case "sys/init":
		s.unsealKey, s.root = hex.EncodeToString([]byte(rand.Text())), "hvs."+rand.Text()
		return object{"keys": []string{s.unsealKey}, "root_token": s.root}, nil
	case "sys/unseal":
		s.sealed = s.sealed && body["key"] != s.unsealKey
		return object{"sealed": s.sealed}, nil
	case "sys/health":
		if s.sealed {
			return nil, fault{http.StatusServiceUnavailable, "Vault is sealed"}
		}
		return object{"sealed": false}, nil
	}
	if s.sealed {
		return nil, fault{http.StatusServiceUnavailable, "Vault is sealed"}
	}
	namespace, token := r.Header.Get("X-Vault-Namespace"), r.Header.Get("X-Vault-Token")
	if !s.namespaces[namespace] {
		return nil, fault{http.StatusNotFound, "namespace not found"}
	}
	held, known := s.tokens[token]
	if token != s.root && !known {
		return nil, fault{http.StatusForbidden, "permission denied"}
	}
	if path == "auth/token/renew-self" {
		if token == s.root {
			return nil, fault{http.StatusBadRequest, "invalid lease ID"}
		}
		return object{"auth": object{"client_token": token, "renewable": true}}, nil
	}
	if token != s.root && !slices.ContainsFunc(held, func(p string) bool { return slices.Contains(s.policies[p][path], "update") }) {
		return nil, fault{http.StatusForbidden, "1 error occurred:\n\t* permission denied\n\n"}
	}
	if rest, is := strings.CutPrefix(path, "transit/"); is && s.mounts[namespace+"/transit"] {
		return s.transit(namespace, rest, body)
	}
	return s.operate(namespace, path, body)
}

// operate is what an operator does.
func (s *server) operate(namespace, path string, body object) (object, error) {
	name := path[strings.LastIndexByte(path, '/')+1:]
	switch strings.TrimSuffix(path, name) {
	case "sys/":
		if name == "seal" {
			s.sealed = true
			return nil, nil
		}
	case "sys/mounts/":
		s.mounts[namespace+"/"+name] = true
		return nil, nil
	case "sys/namespaces/":
		s.namespaces[name] = true
		return object{"data": object{"path": name + "/"}}, nil
	case "sys/policies/acl/":
		var policy struct {
			Path map[string]struct{ Capabilities []string }
		}
		if err := json.Unmarshal([]byte(body["policy"].(string)), &policy); err != nil {
			return nil, fault{http.StatusBadRequest, err.Error()}
		}
		s.policies[name] = make(map[string][]string)
		for p, may := range policy.Path {
			s.policies[name][p] = may.Capabilities
		}
		return nil, nil
	case "auth/token/":
		return s.operateTokens(name, body)
	}
	return nil, fault{http.StatusNotFound, fmt.Sprintf("no handler for route %q. route entry not found.", path)}
}

func (s *server) operateTokens(operation string, body object) (object, error) {
	if operation == "revoke" {
		delete(s.tokens, body["token"].(string))
		return nil, nil
	}
	token := "hvs." + rand.Text()
	s.tokens[token] = []string{}
	for _, p := range body["policies"].([]any) {
		s.tokens[token] = append(s.tokens[token], p.(string))
	}
	return object{"auth": object{"client_token": token, "renewable": true}}, nil
}

// transit is the engine.
func (s *server) transit(namespace, path string, body object) (object, error) {
	operation, name, _ := strings.Cut(path, "/")
	name, more, _ := strings.Cut(name, "/")
	key := s.keys[namespace+"/"+name]
	if operation == "keys" {
		if key == nil {
			key = &versions{least: 1}
			s.keys[namespace+"/"+name] = key
		}
		switch more {
		case "", "rotate":
			key.ciphers = append(key.ciphers, newCipher())
		case "config":
			key.least = int(body["min_decryption_version"].(float64))
		}
		return object{"data": object{"name": name, "latest_version": len(key.ciphers)}}, nil
	}
	if key == nil {
		return nil, fault{http.StatusBadRequest, "encryption key not found"}
	}
	if operation == "encrypt" {
		text, _ := body["plaintext"].(string)
		plain, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, fault{http.StatusBadRequest, err.Error()}
		}
		n := len(key.ciphers)
		sealed := key.ciphers[n-1].Seal(nil, nil, plain, nil)
		return object{"data": object{"ciphertext": fmt.Sprintf("vault:v%d:%s", n, base64.StdEncoding.EncodeToString(sealed)), "key_version": n}}, nil
	}
	text, _ := body["ciphertext"].(string)
	plain, err := key.open(text)
	if err != nil {
		return nil, err
	}
	return object{"data": object{"plaintext": base64.StdEncoding.EncodeToString(plain)}}, nil
}

func (v *versions) open(text string) ([]byte, error) {
	rest, is := strings.CutPrefix(text, "vault:v")
	number, encoded, whole := strings.Cut(rest, ":")
	version, err := strconv.Atoi(number)
	switch {
	case !is || !whole || err != nil:
		return nil, fault{http.StatusBadRequest, "invalid ciphertext: no prefix"}
	case version > len(v.ciphers):
		return nil, fault{http.StatusBadRequest, "invalid ciphertext: version is too new"}
	case version < v.least:
		return nil, fault{http.StatusBadRequest, "ciphertext or signature version is disallowed by policy (too old)"}
	}
	sealed, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, fault{http.StatusBadRequest, "invalid ciphertext: could not decode base64"}
	}
	plain, err := v.ciphers[version-1].Open(nil, nil, sealed, nil)
	if err != nil {
		return nil, fault{http.StatusBadRequest, "cipher: message authentication failed"}
	}
	return plain, nil
}

func newCipher() cipher.AEAD {
	var key [32]byte
	_, _ = rand.Read(key[:]) // never fails
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // only for keys of another length
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err)
	}
	return aead
}
