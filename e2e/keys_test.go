package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/clisonix/tidechart/server/postgres"
)

// TestKeys: a demo makes its key once, for its owner alone, and needs it again; with another it does not start, and says why.
func TestKeys(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	path := filepath.Join(s.data, "keys")
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	said, err := s.command(t.Context(), "keys", "status", "--data", s.data)
	if err != nil || strings.Count(said, ", 0 of which do not open") != 5 || !strings.Contains(said, "0 apps for codes, 0 notes, 0 patients") {
		t.Errorf("status: %q, %v", said, err)
	}
	if runtime.GOOS == "linux" {
		limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", s.cmd.Process.Pid))
		if err != nil || !regexp.MustCompile(`(?m)^Max core file size +0 +0 `).Match(limits) {
			t.Errorf("it may leave a core file: %v\n%s", err, limits)
		}
	}
	other := filepath.Join(t.TempDir(), "keys")
	if _, err := s.command(t.Context(), "keys", "init", other); err != nil {
		t.Fatal(err)
	}
	if said, err := s.command(t.Context(), "keys", "init", path); err == nil || !strings.Contains(err.Error(), "there already") {
		t.Errorf("over the key that is there: %q, %v", said, err)
	}
	if said, err := s.command(t.Context(), "keys", "status", "--data", s.data, "--keys", other); err == nil || !strings.Contains(err.Error(), "do not fit") {
		t.Errorf("status of another key: %q, %v", said, err)
	}

	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	aside := path + ".aside"
	if err := os.Rename(path, aside); err != nil {
		t.Fatal(err)
	}
	if err := s.start(); err == nil || !strings.Contains(s.log.String(), "the file with its key is gone") {
		t.Errorf("without its key: %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("it made another key, of which nothing opens")
	}
	if err := os.Rename(other, path); err != nil {
		t.Fatal(err)
	}
	if err := s.start(); err == nil || !strings.Contains(s.log.String(), "sealed with another key") {
		t.Errorf("with another key: %v", err)
	}
	if err := os.Rename(aside, path); err != nil {
		t.Fatal(err)
	}
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
}

// TestKeysAreRotated while the server runs and people write: it takes the new key from its file, everything is wrapped to it, and the old
// one goes. Who was connected notices nothing; a new note, one of before and the next start need the new key alone.
func TestKeysAreRotated(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	path, ctx := filepath.Join(s.data, "keys"), t.Context()
	keys := func(want string, args ...string) string {
		t.Helper()
		said, err := s.command(ctx, append([]string{"keys"}, append(args, "--data", s.data)...)...)
		if err != nil || !regexp.MustCompile(want).MatchString(said) {
			t.Fatalf("%v: %q, %v; want %s", args, said, err, want)
		}
		return said
	}
	token := s.token(t, "chen")
	note := s.newNote(t, token)
	n := startNode(t)
	c := n.connect("y", yWebsocket, s, note, token, nil)
	c.wait(want{"synced": true})
	c.insert(0, "before; ")

	first, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	keys(`a new key would be added`, "rotate", "--dry-run")
	keys(`what is new is wrapped to it`, "rotate")
	if now, err := os.ReadFile(path); err != nil || !bytes.HasPrefix(now, first) || len(now) <= len(first) {
		t.Errorf("the file does not have both: %v", err)
	}
	keys(`[1-9][0-9]* of [0-9]+ data keys would be wrapped`, "rewrap", "--dry-run")
	if said, err := s.command(ctx, "keys", "retire", "--data", s.data); err == nil || !strings.Contains(err.Error(), "data keys are wrapped to it") {
		t.Errorf("a key that is needed is retired: %q, %v", said, err)
	}
	c.insert(0, "meanwhile; ")
	keys(`[1-9][0-9]* data keys are wrapped to [0-9a-f]{32} anew`, "rewrap", "--hurry")
	keys(`(?s)what is new is wrapped to it; [1-9][0-9]* data keys are; .*an older one; 0 data keys are; it is in the file.*1 run, 0 of which do not have the newest`, "status")
	keys(`1 keys are retired`, "retire")
	keys(`there is one key`, "retire")
	if said := keys(`keys of notes +[0-9]+, 0 of which do not open`, "status"); strings.Count(said, "it is in the file") != 1 {
		t.Errorf("status: %s", said)
	}
	aside, err := filepath.Glob(path + ".retired-*")
	if err != nil || len(aside) != 1 {
		t.Fatalf("the old key is in %v, %v", aside, err)
	}
	if err := os.Remove(aside[0]); err != nil {
		t.Fatal(err)
	}
	c.insert(0, "after; ")
	later := s.newNote(t, token)
	c.wait(want{"unsynced": 0})

	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".first", first, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	checkHas(t, s.text(t, token, note), "before; ", "meanwhile; ", "after; ")
	s.text(t, token, later)
	if said, err := s.command(ctx, "keys", "status", "--data", s.data, "--keys", path+".first"); err == nil || !strings.Contains(err.Error(), "do not fit") {
		t.Errorf("the key of before still fits: %q, %v", said, err)
	}

	// Whatever a data key is of: one that does not open is counted, and is an error.
	flip := `UPDATE data_key SET wrapped = set_byte(wrapped, 40, get_byte(wrapped, 40) # 1) WHERE ctid = (SELECT ctid FROM data_key WHERE scope = $1 ORDER BY owner, epoch LIMIT 1)`
	for scope, what := range map[int]string{2: "notes", 3: "patients", 4: "the hospital", 10: "the log of acts"} {
		for range 2 { // and back
			if tag, err := s.db(t).Exec(ctx, flip, scope); err != nil || tag.RowsAffected() != 1 {
				t.Fatalf("%s: %v, %v", what, tag, err)
			}
			said, err := s.command(ctx, "keys", "status", "--data", s.data)
			if damaged := strings.Contains(said, "1 of which do not open"); damaged != (err != nil) || damaged && !regexp.MustCompile(`keys of `+what+` +[0-9]+, 1 of which`).MatchString(said) {
				t.Errorf("a key of %s is damaged, or whole again: %q, %v", what, said, err)
			}
			if err == nil {
				break
			}
		}
	}
}

// TestLostKeyIsRecovered: as docs/security/keys.md says it step by step. The key file is gone and the server with it; two of three shares
// make another, with which everything opens; and neither one share nor the lost key does then.
func TestLostKeyIsRecovered(t *testing.T) {
	t.Parallel()
	s, ctx := newServer(t), t.Context()
	database := emptyDatabase(t, "lost")
	startNewServer(t, s, "--database-url", database)
	path := filepath.Join(s.data, "keys")
	keys := func(want string, args ...string) {
		t.Helper()
		said, err := s.command(ctx, append([]string{"keys"}, args...)...)
		if text := fmt.Sprint(said, err); !regexp.MustCompile(want).MatchString(text) {
			t.Fatalf("%v: %s; want %s", args, text, want)
		}
	}
	token := s.token(t, "chen", "--database-url", database)
	note := s.newNote(t, token)
	n := startNode(t)
	c := n.connect("y", yWebsocket, s, note, token, nil)
	c.wait(want{"synced": true})
	c.insert(0, "before the loss; ")
	c.wait(want{"unsynced": 0})

	keys("recovery key +none", "status", "--keys", path, "--database-url", database)
	keys("a recovery key, with shares in .*share-1 to .*share-3, would be made", "init", "--recovery", "--dry-run", path)
	keys("Any two of these three files", "init", "--recovery", path)
	keys("share-1 is there already", "init", "--recovery", "--replace", path)
	keys("has a recovery key already", "init", "--recovery", path)
	keys(`[1-9][0-9]* data keys are wrapped`, "rewrap", "--hurry", "--keys", path, "--database-url", database)
	keys(`recovery key +[0-9a-f]{32}; 0 data keys are not wrapped to it`, "status", "--keys", path, "--database-url", database)
	share := func(i int) string { return fmt.Sprintf("%s.share-%d", path, i) }
	keys(`opens ([0-9]+) of [0-9]+ data keys`, "recover", "--dry-run", "--keys", path, "--database-url", database, share(1), share(2))
	anew := path + ".found"
	keys("1 servers are running", "recover", "--keys", anew, "--database-url", database, share(1), share(2))
	later := s.newNote(t, token)

	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	lost, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, gone := range []string{path, share(2)} {
		if err := os.Remove(gone); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.start(); err == nil || !strings.Contains(s.log.String(), "the file with its key is gone") {
		t.Errorf("without its key: %v", err)
	}
	keys("give 2 shares", "recover", "--keys", anew, "--database-url", database, share(1))
	keys("another one is needed", "recover", "--keys", anew, "--database-url", database, share(1), share(1))
	keys(`[1-9][0-9]* data keys are wrapped to key`, "recover", "--keys", anew, "--database-url", database, share(1), share(3))
	if err := os.Rename(anew, path); err != nil {
		t.Fatal(err)
	}
	keys(`recovery key +[0-9a-f]{32}; 0 data keys are not wrapped to it`, "status", "--keys", path, "--database-url", database)
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	checkHas(t, s.text(t, token, note), "before the loss; ")
	s.text(t, token, later)
	if err := os.WriteFile(path+".lost", lost, 0o600); err != nil {
		t.Fatal(err)
	}
	keys("do not fit", "status", "--keys", path+".lost", "--database-url", database)
}

// emptyDatabase is the address of another database beside that of the shared server.
func emptyDatabase(t *testing.T, name string) string {
	t.Helper()
	s := shared.get(t)
	if _, err := s.db(t).Exec(t.Context(), `CREATE DATABASE `+name); err != nil {
		t.Fatal(err)
	}
	running, err := postgres.Running(s.data)
	if err != nil {
		t.Fatal(err)
	}
	database, err := url.Parse(running)
	if err != nil {
		t.Fatal(err)
	}
	database.Path = "/" + name
	return database.String()
}

// TestNotesAreSealedOnDisk: what somebody writes, and who a patient is, is in no file of the data directory, nor in the log, while what is
// not sealed is found there, and comes back after a restart; until two people decide that it is destroyed.
func TestNotesAreSealedOnDisk(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	const word = "planted-pheochromocytoma"
	token := s.token(t, "chen")
	list := filepath.Join(t.TempDir(), "patients")
	known := s.notes(t, token)[0].Patient
	family, _, _ := strings.Cut(known.Name, ",")
	patients := fmt.Sprintf(`{"mrn": "PLANTED-0815", "family": "Plantedfamily", "born": "1980-12-31"}{"mrn": %q, "family": %q, "given": "Plantedgiven", "born": "1980-12-31"}`, known.MRN, family)
	if err := os.WriteFile(list, []byte(patients), 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := s.command(t.Context(), "patient", "import", list, "--data", s.data); err != nil || said != "2 patients stored\n" {
		t.Fatalf("import: %q, %v", said, err)
	}
	if name := s.notes(t, token)[0].Patient.Name; name != family+", Plantedgiven" {
		t.Errorf("the patient is called %q now", name)
	}
	if said, err := s.command(t.Context(), "patient", "set", strings.ToLower(known.MRN), "--join", "chen", "--data", s.data); err != nil || !strings.Contains(said, "chen") {
		t.Errorf("found by number: %q, %v", said, err)
	}
	words := []string{word, "Plantedfamily", "Plantedgiven", "PLANTED-0815", known.MRN, family}
	note := s.newNote(t, token)
	var update []byte
	startNode(t).must("", "makeUpdate", map[string]any{"text": word, "base": s.state(t, token, note, octets)}, &update)
	s.edit(t, apiRequest{method: "POST", path: "/notes/" + note + "/edits", token: token, contentType: octets, body: update})
	if err := s.stop(); err != nil { // all of it is on disk then
		t.Fatal(err)
	}
	nowhere := func(when string) {
		t.Helper()
		for w, places := range s.search(t, append(words, "litigation")...) {
			t.Errorf("%s, %s is in %v", when, w, places)
		}
	}
	nowhere("written")
	if !bytes.Contains(update, []byte(word)) {
		t.Error("the update does not hold it in one piece: nobody could find it")
	}
	s.through = []string{"sh", "-c", `ulimit -c unlimited && GOTRACEBACK=crash exec "$0" "$@"`} // as who wants to see why it crashed
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	if text := s.text(t, token, note); !strings.Contains(text, word) {
		t.Errorf("after a restart the note says %q", text)
	}
	for _, step := range [][]string{{"rotate"}, {"rewrap", "--hurry"}, {"retire"}} {
		if said, err := s.command(t.Context(), slices.Concat([]string{"keys"}, step, []string{"--data", s.data})...); err != nil {
			t.Fatalf("keys %v: %q, %v", step, said, err)
		}
	}
	if text := s.text(t, token, note); !strings.Contains(text, word) {
		t.Errorf("with another key the note says %q", text)
	}
	nowhere("with another key")
	s.leavesNoCore(t, word)
	nowhere("aborted")
	s.through = nil
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	s.destroy(t, note, token)
	s.purge(t, s.notes(t, token)[0], token)
	nowhere("destroyed")

	// What is not sealed is found in all these places, so that the search could have.
	conn := s.db(t)
	for _, sql := range []string{`CREATE TABLE in_clear AS SELECT '` + word + `' AS word`, `CHECKPOINT`} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	places := strings.Join(s.search(t, word)[word], " ")
	for _, where := range []string{"/base/", "/pg_wal/"} {
		if !strings.Contains(places, where) {
			t.Errorf("in the clear it is not found in %s, but in %s", where, places)
		}
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
}

// search finds words in all files of a server and of its Postgres, and in its log.
func (s *server) search(t *testing.T, words ...string) map[string][]string {
	t.Helper()
	cluster, err := filepath.EvalSymlinks(filepath.Join(s.data, "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string][]string)
	in := func(place string, text []byte) {
		for _, w := range words {
			if bytes.Contains(text, []byte(w)) {
				found[w] = append(found[w], place)
			}
		}
	}
	in("the log", []byte(s.log.String()))
	for _, dir := range []string{filepath.Dir(s.data), cluster} { // beside its data it works, and would leave a core file
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) { // it may be at work
				return nil
			}
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			text, err := os.ReadFile(path)
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			in(path, text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// leavesNoCore ends a server as a crash does, with a note open that has a word: nothing of its memory is on disk then, though a process that says
// nothing against it leaves it there.
func (s *server) leavesNoCore(t *testing.T, word string) {
	t.Helper()
	pattern, err := os.ReadFile("/proc/sys/kernel/core_pattern")
	if err != nil || strings.ContainsAny(string(pattern), "|/") {
		t.Logf("cores are no files here: %q, %v", pattern, err)
		return
	}
	cores := func(dir string) []string {
		t.Helper()
		found, err := filepath.Glob(filepath.Join(dir, strings.TrimSpace(string(pattern))+"*"))
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	plain := t.TempDir()
	cmd := exec.Command("sh", "-c", "ulimit -c unlimited && kill -ABRT $$")
	cmd.Dir, cmd.Env = plain, append(os.Environ(), "WORD="+word)
	if err := cmd.Run(); err == nil {
		t.Error("what was aborted ends well")
	}
	left := cores(plain)
	if len(left) != 1 {
		t.Fatalf("a plain process leaves %v", left)
	}
	if text, err := os.ReadFile(left[0]); err != nil || !bytes.Contains(text, []byte(word)) {
		t.Errorf("its core does not have the word: %v", err)
	}
	if err := s.cmd.Process.Signal(syscall.SIGABRT); err != nil {
		t.Fatal(err)
	}
	if err := s.waitExit(); err == nil {
		t.Error("aborted, it ends well")
	}
	if left := cores(filepath.Dir(s.data)); left != nil {
		t.Errorf("the server leaves %v", left)
	}
}

// destroy has a note destroyed, as docs/security/keys.md says it step by step: held first, decided by two people, and carried out by an
// operator, while somebody has it open.
func (s *server) destroy(t *testing.T, note, token string) {
	t.Helper()
	ctx := t.Context()
	command := func(want string, args ...string) string {
		t.Helper()
		said, err := s.command(ctx, append(args, "--data", s.data)...)
		text := fmt.Sprint(said, err)
		if !regexp.MustCompile(want).MatchString(text) {
			t.Fatalf("%v: %s; want %s", args, text, want)
		}
		return text
	}
	command(`novak decides about no holds`, "hold", "set", "--by", "novak", "--reason", "litigation 12/34", "--note", note)
	command(`hold [0-9a-f-]{36} is set`, "hold", "set", "--by", "lindqvist", "--reason", "litigation 12/34", "--note", note)
	hold := regexp.MustCompile(`[0-9a-f-]{36}`).FindString(command(note+`.*litigation 12/34 +no`, "hold", "list"))

	at := s.url + "/destruction"
	s.form(t, s.signIn(t, "lindqvist"), at, url.Values{"record": {note}, "reason": {"test"}, "words": {"It was made for a test."}})
	admin := s.signIn(t, "novak")
	_, page := fetch(t, admin, at)
	approve := regexp.MustCompile(`/destruction/([0-9a-f-]{36})/approve`).FindSubmatch(page)
	if approve == nil {
		t.Fatal("the page does not have it")
	}
	command(`nobody has decided this`, "keys", "shred", string(approve[1]))
	s.form(t, admin, s.url+string(approve[0]), nil)

	c := startNode(t).connect("open", yWebsocket, s, note, token, nil)
	c.wait(want{"synced": true})
	command(string(approve[1])+` +note `+note+` \(held: stays\) +1 +1 +Erik Lindqvist +Petra Novak`, "keys", "shred", "--dry-run")
	command(`not all of it was destroyed`, "keys", "shred")
	command(`is lifted`, "hold", "lift", hold, "--by", "lindqvist", "--reason", "settled")
	command(`\b1 of 1 decisions are carried out: 1 data keys are destroyed, and 1 notes with them`, "keys", "shred")
	command(`\b0 of 0 decisions`, "keys", "shred", string(approve[1]))
	c.wait(want{"closedWith": 4410})
	command(`0 apps for codes, 0 notes`, "keys", "status")
	resp, body := fetch(t, admin, s.url+"/notes/"+note)
	if resp.StatusCode != http.StatusForbidden || bytes.Contains(body, []byte("Lindqvist")) {
		t.Errorf("who might not have read it: %s", resp.Status)
	}
	resp, body = fetch(t, s.signIn(t, "chen"), s.url+"/notes/"+note)
	if resp.StatusCode != http.StatusGone || !bytes.Contains(body, []byte("by decision of")) {
		t.Errorf("the page: %s", resp.Status)
	}
	if said, err := s.command(ctx, "audit", "verify", "--data", s.data); err != nil {
		t.Errorf("the log of acts: %q, %v", said, err)
	}
}

// form sends a form as a browser does that has just proven who its person is.
func (s *server) form(t *testing.T, c *http.Client, to string, form url.Values) {
	t.Helper()
	resp, err := c.PostForm(to, form)
	if err != nil {
		t.Fatal(err)
	}
	if body := readAll(t, resp); resp.StatusCode != http.StatusOK || bytes.Contains(body, []byte("destruction-error")) {
		t.Fatalf("%s: %s", to, resp.Status)
	}
}
