package vault

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// root is what a key-encryption key is derived from.
type root [keySize]byte

// Secret is all that a vault is made of, as a key file has it: one key, or several while keys change, the one made last at the
// end. It prints as nothing.
type Secret struct {
	tenant uuid.UUID // whose data it is; the same for every key of one hospital
	roots  []root

	recovery *recipient // all is wrapped to it, too; nil: there is none
}

// NewSecret makes a secret of one key, and a tenant.
func NewSecret() Secret { return Secret{tenant: uuid.New()}.Rotated() }

// Rotated returns the secret with one more key, which is the newest.
func (s Secret) Rotated() Secret {
	var r root
	_, _ = rand.Read(r[:]) // never fails
	s.roots = append(slices.Clone(s.roots), r)
	return s
}

// IDs names the keys, the one made last at the end.
func (s Secret) IDs() ([]KeyID, error) {
	var ids []KeyID
	for _, r := range s.roots {
		k, err := newKeyPair(s.tenant, r)
		if err != nil {
			return nil, err
		}
		ids = append(ids, k.id)
	}
	return ids, nil
}

// Split returns the secret without some of its keys, and those. Either may be of no key.
func (s Secret) Split(ids []KeyID) (rest, taken Secret, err error) {
	all, err := s.IDs()
	if err != nil {
		return Secret{}, Secret{}, err
	}
	rest, taken = Secret{tenant: s.tenant, recovery: s.recovery}, Secret{tenant: s.tenant}
	for i, id := range all {
		to := &rest
		if slices.Contains(ids, id) {
			to = &taken
		}
		to.roots = append(to.roots, s.roots[i])
	}
	return rest, taken, nil
}

// Equal reports whether both are the same keys in the same order.
func (s Secret) Equal(other Secret) bool {
	mine, has := s.RecoveryID()
	theirs, have := other.RecoveryID()
	return s.tenant == other.tenant && slices.Equal(s.roots, other.roots) && has == have && mine == theirs
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
var errNoSecret = errors.New("no key in it, or a damaged one; it has a line for each key that begins with " + secretPrefix)

const fileText = `# Tidechart's keys; the last is the newest. Who has them and the database can read what the database holds.
# Who loses them cannot, ever: keep a copy where no copy of the database is.
`

// Text is what a key file says that no key service seals.
func (s Secret) Text() ([]byte, error) {
	text, err := s.text()
	return []byte(fileText + text), err
}

// text says the keys: a line for each key, behind one that says for people which it is.
func (s Secret) text() (string, error) {
	ids, err := s.IDs()
	if err != nil {
		return "", err
	}
	var text strings.Builder
	for i, r := range s.roots {
		fmt.Fprintf(&text, "# Key %v\n%s\n", ids[i], line(secretPrefix, s.tenant[:], r[:]))
	}
	if s.recovery != nil {
		fmt.Fprintf(&text, "# Recovery key %v; its secret is in shares that others keep\n%s\n", s.recovery.id, recoveryLine(s.recovery))
	}
	return text.String(), nil
}

// line writes parts as one line with a checksum.
func line(prefix string, parts ...[]byte) string {
	b := bytes.Join(parts, nil)
	sum := sha256.Sum256(b)
	return prefix + secretText.EncodeToString(append(b, sum[:sumSize]...))
}

// readLine reads back what [line] wrote, or reports false.
func readLine(prefix, text string, size int) ([]byte, bool) {
	written, is := strings.CutPrefix(text, prefix)
	b, err := secretText.DecodeString(written)
	if !is || err != nil || len(b) != size+sumSize {
		return nil, false
	}
	body, sum := b[:size], b[size:]
	want := sha256.Sum256(body)
	return body, bytes.Equal(sum, want[:sumSize])
}

// maxKeys bounds the keys of a secret (I10).
const maxKeys = 16

// Parse reads a secret from a key file's text: lines that begin with # are for people. The error is [ErrSealedFile] if a key service
// seals it.
func Parse(text []byte) (Secret, error) {
	var s Secret
	if IsSealed(text) {
		return s, ErrSealedFile
	}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		if strings.HasPrefix(line, recoveryPrefix) {
			r, ok := readRecovery(line)
			if !ok || s.recovery != nil {
				return Secret{}, errNoSecret
			}
			s.recovery = r
			continue
		}
		b, ok := readLine(secretPrefix, line, len(s.tenant)+keySize)
		if !ok {
			return Secret{}, errNoSecret
		}
		tenant, r := uuid.UUID(b[:len(s.tenant)]), root(b[len(s.tenant):])
		if len(s.roots) > 0 && s.tenant != tenant || slices.Contains(s.roots, r) || len(s.roots) == maxKeys {
			return Secret{}, errNoSecret
		}
		s.tenant, s.roots = tenant, append(s.roots, r)
	}
	if len(s.roots) == 0 || s.recovery != nil && s.recovery.tenant != s.tenant {
		return Secret{}, errNoSecret
	}
	return s, nil
}
