package store_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/clisonix/tidechart/server/postgres/postgrestest"
	"github.com/clisonix/tidechart/server/store"
)

// TestCheckLine: a database elsewhere counts only if nothing but verified TLS leads there, whichever way it is written down.
func TestCheckLine(t *testing.T) {
	for _, line := range []struct {
		url, mode string // mode: of the environment
		good      bool
	}{
		{"postgres://u@db.example/n?sslmode=verify-full", "", true},
		{"postgres://u@10.0.0.7/n?sslmode=verify-full", "", true},
		{"host=db.example user=u dbname=n sslmode=verify-full", "", true},
		{"postgres://u@db.example/n?sslrootcert=system", "", true}, // means verify-full
		{"postgres://u@db.example/n", "verify-full", true},
		{"postgres://u@db.example,db2.example/n?sslmode=verify-full", "", true},
		{"postgres://u@localhost/n", "", true},
		{"postgres://u@127.0.0.2/n?sslmode=disable", "", true},
		{"postgres://u@[::1]/n", "", true},
		{"postgres:///n?host=/run/postgresql", "", true},
		{"host=/run/postgresql dbname=n", "", true},

		{"postgres://u@db.example/n", "", false},
		{"postgres://u@db.example/n?sslmode=disable", "", false},
		{"postgres://u@db.example/n?sslmode=allow", "", false},
		{"postgres://u@db.example/n?sslmode=prefer", "", false},
		{"postgres://u@db.example/n?sslmode=require", "", false},
		{"postgres://u@db.example/n?sslmode=verify-ca", "", false},
		{"postgres://u@db.example/n", "require", false},
		{"host=db.example user=u sslmode=require", "", false},
		{"postgres://u@localhost,db.example/n?sslmode=require", "", false},
		{"postgres://u@localhost.evil.example/n", "", false},
		{"postgres://u@127.0.0.1.evil.example/n", "", false},
		{"postgres://u@0.0.0.0/n", "", false},
	} {
		t.Run(line.url+line.mode, func(t *testing.T) {
			t.Setenv("PGSSLMODE", line.mode)
			if err := store.CheckLine(line.url); errors.Is(err, store.ErrUnverified) == line.good || line.good && err != nil {
				t.Error(err)
			}
		})
	}
	if err := store.CheckLine("postgres://u:secret@db.example:port/n"); err == nil || strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
}

// authority signs certificates of databases.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	like := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "an authority"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, like, like, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return authority{t, cert, key}
}

// file holds the authority's certificate.
func (a authority) file() string {
	a.t.Helper()
	path := filepath.Join(a.t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw}), 0o600); err != nil {
		a.t.Fatal(err)
	}
	return path
}

// signs returns a certificate for a host, and its key.
func (a authority) signs(host string) (cert, key []byte) {
	a.t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	like := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host}, NotBefore: a.cert.NotBefore, NotAfter: a.cert.NotAfter,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, like, a.cert, &private.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		a.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
}

// TestVerifiedDatabase: by verify-full a database is reached whose certificate is for its name, by the authority that was named; and
// nobody else, where require would have been content.
func TestVerifiedDatabase(t *testing.T) {
	t.Parallel()
	ours, other := newAuthority(t), newAuthority(t)
	cert, key := ours.signs("localhost")
	at := postgrestest.Networked(t, cert, key)
	port := at.Port()
	line := func(host, mode, ca string) (store.Line, error) {
		to := *at
		to.Host, to.RawQuery = host+":"+port, "sslmode="+mode+"&sslrootcert="+ca
		db, err := store.Open(t.Context(), to.String(), nil)
		if err != nil {
			return store.Line{}, err
		}
		defer db.Close()
		return db.Line(t.Context())
	}
	got, err := line("localhost", "verify-full", ours.file())
	if err != nil || !got.TLS || !got.Verified || got.Group == 0 {
		t.Fatalf("%+v, %v", got, err)
	}
	t.Logf("Postgres and this client agree on keys by %v", got.Group)
	if _, err := line("127.0.0.1", "verify-full", ours.file()); err == nil || !strings.Contains(err.Error(), "127.0.0.1") || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("by another name: %v", err)
	}
	if _, err := line("localhost", "verify-full", other.file()); err == nil || !strings.Contains(err.Error(), "unknown authority") {
		t.Errorf("of another authority: %v", err)
	}
	if got, err := line("127.0.0.1", "require", ""); err != nil || !got.TLS || got.Verified {
		t.Errorf("by require: %+v, %v", got, err)
	}
	if got, err := line("localhost", "disable", ""); err != nil || got != (store.Line{}) {
		t.Errorf("in the clear: %+v, %v", got, err)
	}
}
