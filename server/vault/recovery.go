package vault

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hpke"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/cloudflare/circl/group"
	"github.com/cloudflare/circl/secretsharing"
	"github.com/google/uuid"
)

// How a recovery key is split: any two of three shares make it, and one alone says nothing of it.
const (
	Shares       = 3
	SharesNeeded = 2
)

// Recovery keys and shares as text.
const (
	recoveryPrefix = "TIDECHART-RECOVERY-1-"
	sharePrefix    = "TIDECHART-SHARE-1-"
	publicSize     = 1216 // of X-Wing
)

// sharing is the group whose scalars are secrets to split. That of splitting which is not constant in time, with NIST's curves, is not
// used; whoever splits and recovers does it once, by hand.
var sharing = group.Ristretto255

// WithRecovery returns the secret with a new recovery key, in the place of one that it may have: all data keys are wrapped to that, too.
// Its own secret is in the shares alone, each of which is for somebody else to keep.
func (s Secret) WithRecovery() (Secret, [Shares]Share, error) {
	secret := sharing.RandomNonZeroScalar(rand.Reader)
	pair, err := recoveryPair(s.tenant, secret)
	if err != nil {
		return Secret{}, [Shares]Share{}, err
	}
	s.recovery = &pair.recipient
	var shares [Shares]Share
	for i, part := range secretsharing.New(rand.Reader, SharesNeeded-1, secret).Share(Shares) {
		value, err := part.Value.MarshalBinary()
		if err != nil {
			return Secret{}, shares, errors.New("write share")
		}
		shares[i] = Share{tenant: s.tenant, of: pair.id, number: byte(i + 1), value: [keySize]byte(value)}
	}
	return s, shares, nil
}

// RecoveryID names the secret's recovery key, or reports false.
func (s Secret) RecoveryID() (KeyID, bool) {
	if s.recovery == nil {
		return KeyID{}, false
	}
	return s.recovery.id, true
}

func recoveryPair(tenant uuid.UUID, secret group.Scalar) (*keyPair, error) {
	b, err := secret.MarshalBinary()
	if err != nil {
		return nil, errors.New("make recovery key")
	}
	r, err := hkdf.Key(sha256.New, b, tenant[:], "tidechart/recovery-root/v1", keySize)
	if err != nil {
		return nil, errors.New("make recovery key")
	}
	return newKeyPair(tenant, root(r))
}

// recoveryLine is what a key file says of a recovery key: what wraps to it, and proves that a server wrapped.
func recoveryLine(r *recipient) string {
	return line(recoveryPrefix, r.tenant[:], r.tags, r.public.Bytes())
}

func readRecovery(text string) (*recipient, bool) {
	var tenant uuid.UUID
	b, ok := readLine(recoveryPrefix, text, len(tenant)+keySize+publicSize)
	if !ok {
		return nil, false
	}
	public, err := hpke.MLKEM768X25519().NewPublicKey(b[len(tenant)+keySize:])
	if err != nil {
		return nil, false
	}
	copy(tenant[:], b)
	r := newRecipient(tenant, public, b[len(tenant):len(tenant)+keySize])
	return &r, true
}

// Share is a part of a recovery key. It prints as nothing.
type Share struct {
	tenant uuid.UUID
	of     KeyID
	number byte // from 1
	value  [keySize]byte
}

// String hides the share.
func (Share) String() string { return "[share]" }

// GoString does so as well.
func (Share) GoString() string { return "[share]" }

const shareText = `# Share %d of %d of Tidechart's recovery key %v.
# Any %d of them, with the database, open all that it holds: keep each with somebody else, and this one where no other is.
%s
`

// WriteFile writes the share to a new file for its owner alone. A file that is there is left as it is.
func (s Share) WriteFile(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write share: %w", err)
	}
	_, err = fmt.Fprintf(f, shareText, s.number, Shares, s.of, SharesNeeded, line(sharePrefix, s.tenant[:], s.of[:], []byte{s.number}, s.value[:]))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write share: %w", err)
	}
	return nil
}

var errNoShare = errors.New("no share in it, or a damaged one; it has one line that begins with " + sharePrefix)

// ReadShare reads a share from a file, whoever owns that: shares travel.
func ReadShare(path string) (Share, error) {
	f, err := os.Open(path)
	if err != nil {
		return Share{}, fmt.Errorf("read share: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	text, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return Share{}, fmt.Errorf("read share: %w", err)
	}
	s, err := parseShare(text)
	if err != nil {
		return Share{}, fmt.Errorf("read share: %s: %w", path, err)
	}
	return s, nil
}

func parseShare(text []byte) (s Share, err error) {
	found := false
	for raw := range bytes.Lines(text) {
		line := strings.TrimSpace(string(raw))
		if line == "" || line[0] == '#' {
			continue
		}
		b, ok := readLine(sharePrefix, line, len(s.tenant)+len(s.of)+1+len(s.value))
		if !ok || found {
			return Share{}, errNoShare
		}
		b = b[copy(s.tenant[:], b):]
		b = b[copy(s.of[:], b):]
		s.number, found = b[0], true
		copy(s.value[:], b[1:])
	}
	if !found || s.number == 0 {
		return Share{}, errNoShare
	}
	return s, nil
}

// Recovery is a recovery key whose secret was put together again.
type Recovery struct {
	pair *keyPair
}

// Recover puts a recovery key together from [SharesNeeded] of its shares.
func Recover(a, b Share) (*Recovery, error) {
	if a.tenant != b.tenant || a.of != b.of {
		return nil, fmt.Errorf("the shares are of different recovery keys, %v and %v", a.of, b.of)
	}
	if a.number == b.number {
		return nil, fmt.Errorf("both are share %d: another one is needed", a.number)
	}
	var parts []secretsharing.Share
	for _, s := range []Share{a, b} {
		value := sharing.NewScalar()
		if err := value.UnmarshalBinary(s.value[:]); err != nil {
			return nil, errNoShare
		}
		parts = append(parts, secretsharing.Share{ID: sharing.NewScalar().SetUint64(uint64(s.number)), Value: value})
	}
	secret, err := secretsharing.Recover(SharesNeeded-1, parts)
	if err != nil {
		return nil, errors.New("put shares together")
	}
	pair, err := recoveryPair(a.tenant, secret)
	if err != nil {
		return nil, err
	}
	if pair.id != a.of {
		return nil, errors.New("the shares do not make the key that they say: one of them was changed")
	}
	return &Recovery{pair}, nil
}

// ID names the recovery key.
func (r *Recovery) ID() KeyID { return r.pair.id }

// NewSecret makes a secret of a new key for the same hospital, which has the same recovery key.
func (r *Recovery) NewSecret() Secret {
	return Secret{tenant: r.pair.tenant, recovery: &r.pair.recipient}.Rotated()
}

// Rewrap wraps a data key, which the recovery key opens, to what v wraps to. The error is [ErrOtherKey] if it is not wrapped to this
// recovery key, [ErrSuite], or [ErrTampered] if no server wrapped it so.
func (r *Recovery) Rewrap(v *Vault, name Name, w Wrapped) (Wrapped, error) {
	if w.Recovery == nil || w.Recovery.KEK != r.pair.id {
		return Wrapped{}, fmt.Errorf("data key: %w", ErrOtherKey)
	}
	plain, err := r.pair.unwrap(name, Wrapped{KEK: w.Recovery.KEK, Sealed: w.Recovery.Sealed, Commitment: w.Commitment, Tag: w.Recovery.Tag})
	if err != nil {
		return Wrapped{}, err
	}
	return v.ring.Load().wrap(name, plain)
}
