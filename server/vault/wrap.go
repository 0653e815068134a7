package vault

import (
	"crypto/hmac"
	"crypto/hpke"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"

	"github.com/google/uuid"
)

// Wrapped is a data key as it is stored.
type Wrapped struct {
	KEK        KeyID  // whom it is wrapped to
	Sealed     []byte // see the package comment
	Commitment []byte // 32 bytes, to the data key
	Tag        []byte // 32 bytes, of all of that

	Recovery *Recoverable // nil: it is wrapped to no recovery key
}

// Recoverable is how the same data key is wrapped to a recovery key.
type Recoverable struct {
	KEK    KeyID
	Sealed []byte
	Tag    []byte
}

// recipient is whom data keys are wrapped to.
type recipient struct {
	tenant uuid.UUID
	public hpke.PublicKey
	id     KeyID
	tags   []byte // the key of wrapped keys' tags
}

// keyPair is a recipient whose data keys can be unwrapped, too.
type keyPair struct {
	recipient
	private hpke.PrivateKey
}

// newKeyPair derives a key-encryption key from what a key file says.
func newKeyPair(tenant uuid.UUID, root root) (*keyPair, error) {
	private, err := hpke.MLKEM768X25519().NewPrivateKey(expand(root[:], "tidechart/kek-seed/v1", tenant[:]))
	if err != nil {
		return nil, errors.New("make key-encryption key")
	}
	return &keyPair{newRecipient(tenant, private.PublicKey(), expand(root[:], "tidechart/wrap-tag/v1", tenant[:])), private}, nil
}

func newRecipient(tenant uuid.UUID, public hpke.PublicKey, tags []byte) recipient {
	r := recipient{tenant: tenant, public: public, tags: tags}
	h := sha256.New()
	h.Write([]byte("tidechart/kek-id/v1"))
	h.Write(tenant[:])
	h.Write(public.Bytes())
	copy(r.id[:], h.Sum(nil))
	return r
}

// wrap wraps a data key to the recipient.
func (r *recipient) wrap(name Name, secret []byte) (Wrapped, error) {
	sealed, err := hpke.Seal(r.public, hpke.HKDFSHA256(), hpke.AES256GCM(), r.info(suite1, name), secret)
	if err != nil {
		return Wrapped{}, errors.New("wrap data key")
	}
	w := Wrapped{KEK: r.id, Sealed: append([]byte{suite1}, sealed...), Commitment: commitment(secret, name)}
	w.Tag = r.tag(name, w)
	return w, nil
}

// unwrap returns the data key of that name.
func (k *keyPair) unwrap(name Name, w Wrapped) ([]byte, error) {
	if !hmac.Equal(w.Tag, k.tag(name, w)) {
		return nil, fmt.Errorf("data key: %w", ErrTampered)
	}
	if len(w.Sealed) == 0 || !allowed(w.Sealed[0]) {
		return nil, fmt.Errorf("data key: %w", ErrSuite)
	}
	plain, err := hpke.Open(k.private, hpke.HKDFSHA256(), hpke.AES256GCM(), k.info(w.Sealed[0], name), w.Sealed[1:])
	if err != nil || len(plain) != keySize || subtle.ConstantTimeCompare(w.Commitment, commitment(plain, name)) != 1 {
		return nil, fmt.Errorf("data key: %w", ErrTampered)
	}
	return plain, nil
}

// info is what HPKE binds a wrapped key to.
func (r *recipient) info(suite byte, name Name) []byte {
	b := append([]byte("tidechart/wrap/v1"), suite)
	b = append(b, r.tenant[:]...)
	return append(name.append(b), r.id[:]...)
}

// tag authenticates a wrapped key. Each part has a length of its own, or is hashed, so that none can reach into another.
func (r *recipient) tag(name Name, w Wrapped) []byte {
	sealed, commitment := sha256.Sum256(w.Sealed), sha256.Sum256(w.Commitment)
	mac := hmac.New(sha256.New, r.tags)
	mac.Write(name.append([]byte("tidechart/wrap-row/v1")))
	mac.Write(w.KEK[:])
	mac.Write(sealed[:])
	mac.Write(commitment[:])
	return mac.Sum(nil)
}
