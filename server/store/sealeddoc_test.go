package store_test

import (
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// inTheClear are columns of bytes that are not sealed, because they say nothing of anybody.
var inTheClear = map[string]string{
	"api_token.hash":            "hash of a random secret",
	"audit_event.commitment":    "salted commitment",
	"audit_tile.data":           "hashes of the log's tree, which are published",
	"ceremony.data":             "challenge of a sign-in under way",
	"ceremony.hash":             "hash of a random secret",
	"data_key.commitment":       "wrapped key, or what says that it is whole",
	"data_key.kek":              "names a key",
	"data_key.recovery":         "names a key",
	"data_key.recovery_tag":     "wrapped key, or what says that it is whole",
	"data_key.recovery_wrapped": "wrapped key, or what says that it is whole",
	"data_key.tag":              "wrapped key, or what says that it is whole",
	"data_key.wrapped":          "wrapped key, or what says that it is whole",
	"device.hash":               "hash of a random secret",
	"invitation.hash":           "hash of a random secret",
	"kek.id":                    "names a key",
	"login.data":                "who has signed in, and how",
	"note.chain":                "keyed chain over rows",
	"note_base.sum":             "sum of sealed bytes",
	"note_burst.sum":            "sum of sealed bytes",
	"note_signature.hash":       "hash of a signed statement with random parts",
	"passkey.aaguid":            "of a passkey, and public",
	"passkey.id":                "of a passkey, and public",
	"passkey.public_key":        "of a passkey, and public",
	"recovery_code.hash":        "hash of a random secret",
	"retired_kek.id":            "names a key",
	"ticket.hash":               "hash of a random secret",
}

// TestOperatorsAreToldWhatIsSealed: each column of bytes stands in docs/security/keys.md, or it is known why it need not be sealed.
func TestOperatorsAreToldWhatIsSealed(t *testing.T) {
	t.Parallel()
	h := open(t)
	doc, err := os.ReadFile("../../docs/security/keys.md")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), h.url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	rows, err := conn.Query(t.Context(), `SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public' AND data_type = 'bytea' ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	columns, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range columns {
		told := strings.Contains(string(doc), "`"+c+"`")
		if why, clear := inTheClear[c]; clear == told {
			t.Errorf("%s: named as sealed %v, known to be in the clear %q", c, told, why)
		}
	}
}
