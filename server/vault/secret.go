package vault

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"log/slog"
	"strings"

	"github.com/google/uuid"
)

// Secret is all that a vault is made of. It prints as nothing.
type Secret struct {
	tenant uuid.UUID // whose data it is; the same for every key of one hospital
	root   [keySize]byte
}

// NewSecret makes a secret, and a tenant.
func NewSecret() Secret {
	s := Secret{tenant: uuid.New()}
	_, _ = rand.Read(s.root[:]) // never fails
	return s
}

// String hides the secret from whoever prints it.
func (Secret) String() string { return "[secret]" }

// GoString does so as well.
func (Secret) GoString() string { return "[secret]" }

// LogValue hides it from logs.
func (Secret) LogValue() slog.Value { return slog.StringValue("[secret]") }

// How a secret is written: capitals and digits that nobody confuses, with a checksum, so that it can be kept on paper.
const (
	secretPrefix = "TIDECHART-KEY-1-"
	sumSize      = 4
)

var secretText = base32.StdEncoding.WithPadding(base32.NoPadding)

// errNoSecret says nothing of what was read instead.
var errNoSecret = errors.New("no key in it, or a damaged one; it has one line that begins with " + secretPrefix)

// text is the secret as one line.
func (s Secret) text() string {
	b := append(s.tenant[:], s.root[:]...)
	sum := sha256.Sum256(b)
	return secretPrefix + secretText.EncodeToString(append(b, sum[:sumSize]...))
}

// Parse reads a secret from a key file's text: lines that begin with # are for people.
func Parse(text []byte) (Secret, error) {
	var s Secret
	found := false
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		written, is := strings.CutPrefix(line, secretPrefix)
		b, err := secretText.DecodeString(written)
		if !is || err != nil || found || len(b) != len(s.tenant)+len(s.root)+sumSize {
			return Secret{}, errNoSecret
		}
		body, sum := b[:len(b)-sumSize], b[len(b)-sumSize:]
		if want := sha256.Sum256(body); !bytes.Equal(sum, want[:sumSize]) {
			return Secret{}, errNoSecret
		}
		copy(s.tenant[:], body)
		copy(s.root[:], body[len(s.tenant):])
		found = true
	}
	if !found {
		return Secret{}, errNoSecret
	}
	return s, nil
}
