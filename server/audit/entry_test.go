package audit_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/audit"
)

// TestLeaf: the bytes that are hashed never change, whichever version writes them.
func TestLeaf(t *testing.T) {
	id := func(n byte) uuid.UUID { return uuid.UUID{15: n} }
	e := audit.Entry{
		ID: id(1), At: someTime, Act: audit.OpenNote, Outcome: audit.Done, Who: uuid.NullUUID{UUID: id(2), Valid: true},
		Patient: uuid.NullUUID{UUID: id(3), Valid: true}, Note: uuid.NullUUID{UUID: id(4), Valid: true}, Code: "page <&>", Commitment: []byte{1, 2},
	}
	const want = `{"v":1,"id":"00000000-0000-0000-0000-000000000001","at":"2026-11-22T21:42:00.123456Z","act":"note.open","outcome":"done",` +
		`"who":"00000000-0000-0000-0000-000000000002","patient":"00000000-0000-0000-0000-000000000003","note":"00000000-0000-0000-0000-000000000004",` +
		`"code":"page <&>","details":"AQI="}`
	if got := string(e.Leaf()); got != want {
		t.Errorf("%s", got)
	}
	back, err := audit.ParseEntry([]byte(want))
	if err != nil || !bytes.Equal(back.Leaf(), []byte(want)) {
		t.Errorf("%+v, %v", back, err)
	}
	for _, bad := range []string{
		"", "{}", want + " ", want + want, strings.Replace(want, `"v":1`, `"v":2`, 1), strings.Replace(want, `"v":1`, `"v":1,"more":1`, 1),
		strings.Replace(want, "123456Z", "1234567Z", 1), strings.Replace(want, `"act":"note.open",`, "", 1) + `{"act":"note.open"}`,
	} {
		if _, err := audit.ParseEntry([]byte(bad)); !errors.Is(err, audit.ErrEntry) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// TestDetails: an entry is bound to its details, and tells nothing of them.
func TestDetails(t *testing.T) {
	d := audit.Details{From: "10.0.0.1", Login: "7", Role: "nurse", Words: "rivera"}
	salted, commitment := d.Commit()
	if got, err := audit.OpenDetails(salted, commitment); err != nil || got != d {
		t.Errorf("%+v, %v", got, err)
	}
	if _, again := d.Commit(); bytes.Equal(commitment, again) {
		t.Error("the same details have the same commitment: who guesses them knows")
	}
	for i := range salted {
		other := bytes.Clone(salted)
		other[i] ^= 1
		if _, err := audit.OpenDetails(other, commitment); !errors.Is(err, audit.ErrDetails) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}
	if _, err := audit.OpenDetails(salted[:20], commitment); !errors.Is(err, audit.ErrDetails) {
		t.Errorf("cut off: %v", err)
	}
}
