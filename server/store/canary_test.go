package store_test

import (
	"bytes"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/clisonix/tidechart/server/postgres"
	"github.com/clisonix/tidechart/server/postgres/postgrestest"
	"github.com/clisonix/tidechart/server/store"
)

// found says where a database's files and dump have one of some words, whichever way they are written.
func found(t *testing.T, url string, words ...string) (places []string) {
	t.Helper()
	return foundEach(t, url, words)[0]
}

// foundEach is found for several lists of words, by one look.
func foundEach(t *testing.T, url string, lists ...[]string) (places [][]string) {
	t.Helper()
	needles := make([][][]byte, len(lists))
	for i, words := range lists {
		for _, w := range words {
			b := []byte(w)
			needles[i] = append(needles[i], b, []byte(hex.EncodeToString(b)), []byte(base32.StdEncoding.EncodeToString(b)[:len(b)]),
				[]byte(base64.StdEncoding.EncodeToString(b)[:len(b)]))
		}
	}
	places = make([][]string, len(lists))
	look := func(where string, text []byte) {
		for i := range lists {
			if !slices.Contains(places[i], where) && slices.ContainsFunc(needles[i], func(n []byte) bool { return bytes.Contains(text, n) }) {
				places[i] = append(places[i], where)
			}
		}
	}
	h := hospital{url: url}
	h.must(t, `CHECKPOINT`) // tables are on disk then
	cluster := postgrestest.Server(t).Cluster()
	err := filepath.WalkDir(cluster, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return ignoreGone(err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return ignoreGone(err)
		}
		where, _, _ := strings.Cut(strings.TrimPrefix(path, cluster+"/"), "/")
		look(where, text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	bin, err := postgres.Find()
	if err != nil {
		t.Fatal(err)
	}
	dump, err := exec.CommandContext(t.Context(), filepath.Join(bin, "pg_dump"), "--dbname", url).Output()
	if err != nil || !bytes.Contains(dump, []byte("CREATE TABLE public.totp")) {
		t.Fatalf("dump of %d bytes: %v", len(dump), err)
	}
	look("dump", dump)
	return places
}

// ignoreGone: a database that works removes files.
func ignoreGone(err error) error {
	if os.IsNotExist(err) {
		return nil
	}
	return err
}

// TestNoSecretLiesInTheClear: of the secret of somebody's app, and of its data key, no file of Postgres has a trace; of one
// that is not sealed, tables, log and dump have.
func TestNoSecretLiesInTheClear(t *testing.T) {
	const old, oldToo, begun = "planted: the old one", "planted: another one", "planted: pending one"
	h, v := before(t, old, oldToo, begun), newVault(t)
	places := strings.Join(found(t, h.url, old), " ")
	for _, where := range []string{"base", "pg_wal", "dump"} {
		if !strings.Contains(places, where) {
			t.Errorf("in the clear it is not found in %s, but in: %s", where, places)
		}
	}
	db, err := store.Open(t.Context(), h.url, v)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, where := range found(t, h.url, old, oldToo, begun) {
		if where != "pg_wal" { // it was written there, and goes with its segment
			t.Errorf("after it was sealed it is found in %s", where)
		}
	}

	h.db = db
	const planted, again = "planted: sealed then", "planted: sealed anew"
	h.useApp(t, h.author, planted)
	h.useApp(t, h.author, again)
	if places := found(t, h.url, planted, again); places != nil {
		t.Errorf("sealed from the beginning it is found in %v", places)
	}
	if secret, err := db.AppSecret(t.Context(), h.author); err != nil || string(secret) != again {
		t.Errorf("it opens as %q, %v", secret, err)
	}
}
