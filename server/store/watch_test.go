package store_test

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
)

// TestWatchAccess: each change of who may do what is told, with whom it concerns; nothing else is.
func TestWatchAccess(t *testing.T) {
	h := open(t)
	note, ctx := h.newNote(t), t.Context()
	secret := sha256.Sum256([]byte("secret"))
	named := base64.RawURLEncoding.EncodeToString(secret[:])
	id := uuid.New()
	soon := time.Now().Add(time.Hour)
	w, err := h.db.WatchAccess(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	at := int64(0)
	for _, tt := range []struct {
		name string
		do   func() error
		want []store.AccessChange
	}{
		{"another role", func() error { return h.exec(t, `UPDATE person SET role = 'resident' WHERE id = $1`, h.author) }, []store.AccessChange{{Person: h.author}}},
		{"the same role", func() error { return h.exec(t, `UPDATE person SET role = 'resident' WHERE id = $1`, h.author) }, nil},
		{"another unit", func() error { return h.exec(t, `UPDATE person SET unit_id = NULL WHERE id = $1`, h.author) }, []store.AccessChange{{Person: h.author}}},
		{"another name", func() error { return h.exec(t, `UPDATE person SET name = 'Eve' WHERE id = $1`, h.author) }, nil},
		{"two suspended", func() error { return h.exec(t, `UPDATE person SET suspended = true`) }, []store.AccessChange{{Person: h.author}, {Person: h.other}}},
		{"signed in", func() error { return h.db.Logins().CommitCtx(ctx, "abc", []byte("data"), soon) }, nil},
		{"given a name", func() error { return h.exec(t, `UPDATE login SET id = $1`, id) }, nil},
		{"renewed", func() error {
			_, err := h.db.RenewLogin(ctx, queries.RenewLoginParams{Fresh: "abd", Proven: time.Now(), At: time.Now(), ID: id})
			return err
		}, nil},
		{"signed in for longer", func() error { return h.db.Logins().CommitCtx(ctx, "abc", []byte("data"), soon.Add(time.Hour)) }, nil},
		{"signed out", func() error { return h.db.Logins().DeleteCtx(ctx, "abd") }, []store.AccessChange{{Login: id.String()}}},
		{"an expired login", func() error {
			if err := h.db.Logins().CommitCtx(ctx, "old", []byte("data"), time.Now().Add(-time.Hour)); err != nil {
				return err
			}
			return h.db.Sweep(ctx)
		}, nil},
		{"a token", func() error {
			_, err := h.db.InsertToken(ctx, queries.InsertTokenParams{ID: id, Hash: secret[:], Person: h.other, Scopes: []string{}, ExpiresAt: soon, Most: 1})
			return err
		}, nil},
		{"a token's end", func() error { return h.exec(t, `DELETE FROM api_token`) }, []store.AccessChange{{Login: named}}},
		{"a note edited", func() error { return h.exec(t, `UPDATE note SET edited_at = now() WHERE id = $1`, note) }, nil},
		{"a note in review", func() error { return h.exec(t, `UPDATE note SET state = 'review' WHERE id = $1`, note) }, []store.AccessChange{{Note: note}}},
		{"all logins", func() error { return h.exec(t, `TRUNCATE login CASCADE`) }, []store.AccessChange{{}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.do(); err != nil {
				t.Fatal(err)
			}
			got, version, _, err := w.Next(ctx, 0)
			// Who is told of a note may do no more and no less than before.
			got = slices.DeleteFunc(got, func(c store.AccessChange) bool { return c.Nudged != uuid.Nil })
			byPerson := func(a, b store.AccessChange) int { return slices.Compare(a.Person[:], b.Person[:]) }
			slices.SortFunc(got, byPerson)
			slices.SortFunc(tt.want, byPerson)
			if err != nil || !slices.Equal(got, tt.want) || version != at+int64(len(tt.want)) {
				t.Errorf("Next = %+v, version %d, %v; want %+v, version %d", got, version, err, tt.want, at+int64(len(tt.want)))
			}
			at = version
		})
	}

	late, err := h.db.WatchAccess(ctx, at-2)
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close()
	if got, version, _, err := late.Next(ctx, 0); err != nil || version != at || !slices.Contains(got, store.AccessChange{}) {
		t.Errorf("who missed two is told %+v, version %d, %v; want that anybody may have changed", got, version, err)
	}
	if got, _, _, err := late.Next(ctx, 0); err != nil || len(got) != 0 {
		t.Errorf("and then %+v, %v", got, err)
	}
}
