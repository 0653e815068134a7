package store_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/pressly/goose/v3"

	"github.com/clisonix/tidechart/migrations"
	"github.com/clisonix/tidechart/server/postgres/postgrestest"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/vault"
)

func newVault(t testing.TB) *vault.Vault {
	t.Helper()
	return vaultOf(t, vault.NewSecret())
}

func vaultOf(t testing.TB, secret vault.Secret) *vault.Vault {
	t.Helper()
	v, err := vault.New(secret)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// checkKeys unwraps all data keys of a database.
func (h hospital) checkKeys(t *testing.T, v *vault.Vault) (people, notes store.Checked) {
	t.Helper()
	checked, err := h.db.CheckKeys(t.Context(), v, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	people, notes = checked[vault.OfPerson], checked[vault.OfNote]
	people.Unrecoverable, notes.Unrecoverable = 0, 0 // there is no recovery key
	return people, notes
}

// useApp gives somebody an app for codes with that secret.
func (h hospital) useApp(t *testing.T, person uuid.UUID, secret string) {
	t.Helper()
	if err := h.db.BeginApp(t.Context(), person, []byte(secret)); err != nil {
		t.Fatal(err)
	}
	app, err := h.db.PendingApp(t.Context(), person)
	if err != nil || string(app.Secret) != secret || time.Since(app.Begun).Abs() > time.Minute {
		t.Fatalf("pending: %q, %v", app.Secret, err)
	}
	recovery := uuid.New()
	if ok, err := h.db.AcceptApp(t.Context(), person, app, 1, [][]byte{append(recovery[:], recovery[:]...)}); !ok || err != nil {
		t.Fatalf("accepted: %v, %v", ok, err)
	}
}

func (h hospital) must(t testing.TB, sql string, args ...any) {
	t.Helper()
	if err := h.exec(t, sql, args...); err != nil {
		t.Fatal(sql, err)
	}
}

const (
	first  = "12345678901234567890"
	anew   = "abcdefghijklmnopqrst"
	theirs = "ABCDEFGHIJKLMNOPQRST"
)

// TestAppsKeepOneKey: each secret has a data key, which goes when the secret does, and a pending one replaces nothing.
func TestAppsKeepOneKey(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	if _, err := h.db.AppSecret(ctx, h.author); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("no app: %v", err)
	}
	if _, err := h.db.PendingApp(ctx, h.author); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("nothing begun: %v", err)
	}
	keys := func(want int) {
		t.Helper()
		if people, _ := h.checkKeys(t, h.vault); people != (store.Checked{All: want}) {
			t.Errorf("%+v; want %d", people, want)
		}
	}
	h.useApp(t, h.author, first)
	keys(1)
	for range 3 {
		if err := h.db.BeginApp(ctx, h.author, []byte(anew)); err != nil {
			t.Fatal(err)
		}
		keys(2)
	}
	if secret, err := h.db.AppSecret(ctx, h.author); err != nil || string(secret) != first {
		t.Errorf("while another is pending: %q, %v", secret, err)
	}
	stale, err := h.db.PendingApp(ctx, h.author)
	if err != nil {
		t.Fatal(err)
	}
	h.useApp(t, h.author, anew)
	keys(1)
	if ok, err := h.db.AcceptApp(ctx, h.author, stale, 1, nil); ok || err != nil {
		t.Errorf("one that was begun before: %v, %v", ok, err)
	}
	if secret, err := h.db.AppSecret(ctx, h.author); err != nil || string(secret) != anew {
		t.Errorf("afterwards: %q, %v", secret, err)
	}
	if err := h.db.DeleteTOTP(ctx, h.author); err != nil {
		t.Fatal(err)
	}
	keys(0)
	h.useApp(t, h.author, first)
	if err := h.db.ForgetWays(ctx, h.author); err != nil {
		t.Fatal(err)
	}
	keys(0)
}

// TestTamperedApps: whoever writes in the database, short of putting all of an earlier state back, gives nobody a secret
// that they know.
func TestTamperedApps(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	h.useApp(t, h.author, first)
	h.must(t, `CREATE TABLE old_totp AS SELECT * FROM totp`)
	h.must(t, `CREATE TABLE old_key AS SELECT * FROM data_key`)
	h.useApp(t, h.author, anew)
	h.useApp(t, h.other, theirs)
	h.must(t, `CREATE TABLE good_totp AS SELECT * FROM totp`)
	h.must(t, `CREATE TABLE good_key AS SELECT * FROM data_key`)

	h.must(t, `ALTER TABLE data_key DISABLE TRIGGER USER`)
	for what, attack := range map[string]string{
		"a bit flipped":               `UPDATE totp SET secret = set_byte(secret, 30, get_byte(secret, 30) # 1)`,
		"swapped between people":      `UPDATE totp SET secret = o.secret FROM good_totp o WHERE o.person_id <> totp.person_id`,
		"swapped with its key":        `UPDATE totp SET secret = o.secret FROM good_totp o WHERE o.person_id <> totp.person_id; UPDATE data_key SET wrapped = o.wrapped, commitment = o.commitment, tag = o.tag, epoch = o.epoch FROM good_key o WHERE o.owner <> data_key.owner AND o.scope = 1 AND data_key.scope = 1`,
		"an old secret put back":      `UPDATE totp SET secret = o.secret FROM old_totp o WHERE o.person_id = totp.person_id`,
		"under the new key's number":  `UPDATE totp SET secret = set_byte(o.secret, 4, get_byte(totp.secret, 4)) FROM old_totp o WHERE o.person_id = totp.person_id`,
		"an old key put back instead": `UPDATE data_key SET wrapped = o.wrapped, commitment = o.commitment, tag = o.tag FROM old_key o WHERE o.owner = data_key.owner`,
		"another suite":               `UPDATE totp SET secret = set_byte(secret, 0, 2)`,
		"another suite of the key":    `UPDATE data_key SET wrapped = set_byte(wrapped, 0, 2)`,
		"the key's tag changed":       `UPDATE data_key SET tag = set_byte(tag, 0, get_byte(tag, 0) # 1)`,
		"no key":                      `DELETE FROM data_key`,
		"a pending one made good":     `UPDATE totp SET secret = pending, pending = NULL, pending_at = NULL`,
	} {
		h.must(t, `DELETE FROM totp; DELETE FROM data_key; INSERT INTO totp SELECT * FROM good_totp; INSERT INTO data_key SELECT * FROM good_key`)
		if what == "a pending one made good" {
			if err := h.db.BeginApp(ctx, h.author, []byte(theirs)); err != nil {
				t.Fatal(err)
			}
		}
		h.must(t, attack)
		if secret, err := h.db.AppSecret(ctx, h.author); !errors.Is(err, vault.ErrTampered) && !errors.Is(err, vault.ErrSuite) {
			t.Errorf("%s: %q, %v", what, secret, err)
		}
	}

	// A data key of the attacker's, wrapped to the public key, and a secret sealed by it. A vault of the same key would make it.
	h.must(t, `DELETE FROM totp; DELETE FROM data_key; INSERT INTO totp SELECT * FROM good_totp; INSERT INTO data_key SELECT * FROM good_key`)
	foreign := newVault(t)
	key, w, err := foreign.NewKey(vault.Name{Scope: vault.OfPerson, Owner: h.author, Epoch: 1})
	if err != nil {
		t.Fatal(err)
	}
	h.must(t, `UPDATE data_key SET epoch = 1, wrapped = $1, commitment = $2, tag = $3 WHERE owner = $4`, w.Sealed, w.Commitment, w.Tag, h.author)
	h.must(t, `UPDATE totp SET secret = $1 WHERE person_id = $2`, key.Seal(vault.Place{Kind: vault.AppSecret, Schema: 1}, []byte(theirs)), h.author)
	if secret, err := h.db.AppSecret(ctx, h.author); !errors.Is(err, vault.ErrTampered) {
		t.Errorf("a data key of the attacker's: %q, %v", secret, err)
	}
	if people, _ := h.checkKeys(t, h.vault); people.Bad != 1 {
		t.Errorf("%+v", people)
	}
	if err := h.exec(t, `UPDATE totp SET secret = '12345678901234567890'`); err == nil {
		t.Error("a secret in the clear is taken")
	}
}

// TestOneKeyForADatabase: a server with other keys is refused, and without any nothing is sealed or opened.
func TestOneKeyForADatabase(t *testing.T) {
	h := open(t)
	h.useApp(t, h.author, first)
	if db, err := store.Open(t.Context(), h.url, newVault(t)); !errors.Is(err, store.ErrOtherKeys) {
		t.Errorf("with other keys: %v", err)
		db.Close()
	}
	again, err := store.Open(t.Context(), h.url, h.vault)
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
	without, err := store.Open(t.Context(), h.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer without.Close()
	if _, err := without.AppSecret(t.Context(), h.author); !errors.Is(err, store.ErrNoKeys) {
		t.Errorf("reading without keys: %v", err)
	}
	if err := without.BeginApp(t.Context(), h.author, []byte(anew)); !errors.Is(err, store.ErrNoKeys) {
		t.Errorf("writing without keys: %v", err)
	}
}

// before is a database as versions before the vault left it, with secrets in the clear: one person's, and another's who has
// begun with a new app.
func before(t *testing.T, used, usedToo, pending string) (h hospital) {
	t.Helper()
	h = hospital{url: postgrestest.URL(t), author: uuid.New(), other: uuid.New()}
	db, err := sql.Open("pgx", h.url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, migrations.FS)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), 21); err != nil {
		t.Fatal(err)
	}
	for who, name := range map[uuid.UUID]string{h.author: "ada", h.other: "bob"} {
		h.must(t, `INSERT INTO person (id, username, name, role, color) VALUES ($1, $2, 'A', 'nurse', 0)`, who, name)
	}
	h.must(t, `INSERT INTO totp (person_id, secret, step) VALUES ($1, $2, 5)`, h.author, []byte(used))
	h.must(t, `INSERT INTO totp (person_id, secret, pending, pending_at) VALUES ($1, $2, $3, now())`, h.other, []byte(usedToo), []byte(pending))
	return h
}

// TestSecretsOfBeforeAreSealed by whichever of several servers starts first, once.
func TestSecretsOfBeforeAreSealed(t *testing.T) {
	h, v := before(t, first, theirs, anew), newVault(t)
	migrated, err := store.Open(t.Context(), h.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	migrated.Close()
	opened := make(chan error)
	for range 3 {
		go func() {
			db, err := store.Open(context.WithoutCancel(t.Context()), h.url, v)
			if err == nil {
				db.Close()
			}
			opened <- err
		}()
	}
	for range 3 {
		if err := <-opened; err != nil {
			t.Error(err)
		}
	}
	db, err := store.Open(t.Context(), h.url, v)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	h.db = db
	if people, _ := h.checkKeys(t, v); people != (store.Checked{All: 3}) {
		t.Errorf("%+v", people)
	}
	for who, want := range map[uuid.UUID]string{h.author: first, h.other: theirs} {
		if secret, err := db.AppSecret(t.Context(), who); err != nil || string(secret) != want {
			t.Errorf("%q, %v", secret, err)
		}
	}
	if app, err := db.PendingApp(t.Context(), h.other); err != nil || string(app.Secret) != anew {
		t.Errorf("pending: %q, %v", app.Secret, err)
	}
	if n, err := db.UseTOTP(t.Context(), 5, h.author); n != 0 || err != nil {
		t.Errorf("a code that was used before: %d, %v", n, err)
	}
}

// TestNothingInTheClearIsSealedLater: whoever writes a secret of their choice into a sealed database does not have it sealed by
// the next start.
func TestNothingInTheClearIsSealedLater(t *testing.T) {
	h := open(t)
	h.useApp(t, h.author, first)
	h.must(t, `ALTER TABLE totp DROP CONSTRAINT totp_is_sealed; UPDATE totp SET secret = '`+theirs+`'`)
	if _, err := h.db.AppSecret(t.Context(), h.author); !errors.Is(err, vault.ErrTampered) {
		t.Errorf("while the server runs: %v", err)
	}
	if db, err := store.Open(t.Context(), h.url, h.vault); !errors.Is(err, store.ErrInTheClear) {
		t.Errorf("at its next start: %v", err)
		db.Close()
	}
}
