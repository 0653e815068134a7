package vault

import (
	"crypto/hmac"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"
)

// Vault holds the key-encryption keys of one hospital. Any number of goroutines may use it.
type Vault struct {
	tenant uuid.UUID
	ring   atomic.Pointer[ring]
	mu     sync.Mutex // of who replaces ring
}

// ring is static.
type ring struct {
	keys     map[KeyID]*keyPair
	filed    map[KeyID]bool // those that the key file has
	sealing  *keyPair       // what is new is wrapped to it
	recovery *recipient     // and to it; nil: there is none
}

// New returns the vault of a secret, which wraps what is new to the secret's newest key, until [Vault.Follow] says another.
func New(s Secret) (*Vault, error) {
	if len(s.roots) == 0 {
		return nil, errors.New("no key")
	}
	v := &Vault{tenant: s.tenant}
	r := &ring{}
	if err := r.file(s); err != nil {
		return nil, err
	}
	ids, err := s.IDs()
	if err != nil {
		return nil, err
	}
	r.sealing = r.keys[ids[len(ids)-1]]
	v.ring.Store(r)
	return v, nil
}

// file adds a secret's keys.
func (r *ring) file(s Secret) error {
	keys, filed := make(map[KeyID]*keyPair), make(map[KeyID]bool)
	for id, k := range r.keys {
		keys[id] = k
	}
	for _, root := range s.roots {
		k, err := newKeyPair(s.tenant, root)
		if err != nil {
			return err
		}
		if keys[k.id] == nil {
			keys[k.id] = k
		}
		filed[k.id] = true
	}
	r.keys, r.filed, r.recovery = keys, filed, s.recovery
	return nil
}

// Take takes over what the key file says now. Keys that it does not have any more stay until nothing needs them (see
// [Vault.Follow]): a file that is put back from an old copy takes nothing from a server that runs.
func (v *Vault) Take(s Secret) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if s.tenant != v.tenant {
		return errors.New("the keys are of another hospital")
	}
	r := *v.ring.Load()
	if err := r.file(s); err != nil {
		return err
	}
	v.ring.Store(&r)
	return nil
}

// Follow has what is new wrapped to the first of those keys that the vault holds, and forgets what neither they nor the key
// file have. inUse are a database's, the newest first. It returns those of them that the vault does not hold.
func (v *Vault) Follow(inUse []KeyID) (missing []KeyID) {
	v.mu.Lock()
	defer v.mu.Unlock()
	old := v.ring.Load()
	r := &ring{keys: make(map[KeyID]*keyPair), filed: old.filed, recovery: old.recovery}
	for _, id := range inUse {
		k := old.keys[id]
		if k == nil {
			missing = append(missing, id)
			continue
		}
		r.keys[id] = k
		if r.sealing == nil {
			r.sealing = k
		}
	}
	for id := range old.filed {
		r.keys[id] = old.keys[id]
	}
	if r.sealing == nil {
		r.sealing = old.sealing
		r.keys[old.sealing.id] = old.sealing
	}
	v.ring.Store(r)
	return missing
}

// ID names the key-encryption key that what is new is wrapped to.
func (v *Vault) ID() KeyID { return v.ring.Load().sealing.id }

// IDs names all that the vault holds.
func (v *Vault) IDs() []KeyID {
	var ids []KeyID
	for id := range v.ring.Load().keys {
		ids = append(ids, id)
	}
	return ids
}

// NewKey makes a data key, and wraps it.
func (v *Vault) NewKey(name Name) (*Key, Wrapped, error) {
	var secret [keySize]byte
	_, _ = rand.Read(secret[:]) // never fails
	w, err := v.ring.Load().wrap(name, secret[:])
	if err != nil {
		return nil, Wrapped{}, err
	}
	return newKey(v.tenant, name, secret), w, nil
}

// Unwrap returns the data key of that name. The error is [ErrOtherKey], [ErrSuite], or [ErrTampered] if this vault did not
// make w for that name.
func (v *Vault) Unwrap(name Name, w Wrapped) (*Key, error) {
	plain, err := v.unwrap(name, w)
	if err != nil {
		return nil, err
	}
	return newKey(v.tenant, name, [keySize]byte(plain)), nil
}

// Rewrap wraps a data key anew, to the keys that what is new is wrapped to. The data key stays, and what it seals. The errors are
// those of [Vault.Unwrap].
func (v *Vault) Rewrap(name Name, w Wrapped) (Wrapped, error) {
	plain, err := v.unwrap(name, w)
	if err != nil {
		return Wrapped{}, err
	}
	r := v.ring.Load()
	if !v.CanRecover(name, w) {
		return r.wrap(name, plain)
	}
	anew, err := r.sealing.wrap(name, plain)
	anew.Recovery = w.Recovery // good as it is
	return anew, err
}

// wrap wraps a data key to whom what is new is wrapped to.
func (r *ring) wrap(name Name, secret []byte) (Wrapped, error) {
	w, err := r.sealing.wrap(name, secret)
	if err != nil || r.recovery == nil {
		return w, err
	}
	second, err := r.recovery.wrap(name, secret)
	if err != nil {
		return Wrapped{}, err
	}
	w.Recovery = &Recoverable{KEK: second.KEK, Sealed: second.Sealed, Tag: second.Tag}
	return w, nil
}

// RecoveryID names the recovery key that what is new is wrapped to, too, or reports false.
func (v *Vault) RecoveryID() (KeyID, bool) {
	r := v.ring.Load().recovery
	if r == nil {
		return KeyID{}, false
	}
	return r.id, true
}

// CanRecover reports whether a data key was wrapped to the recovery key by a server of this hospital: whoever writes in the database cannot
// put something else in its place.
func (v *Vault) CanRecover(name Name, w Wrapped) bool {
	r := v.ring.Load().recovery
	return r != nil && w.Recovery != nil && w.Recovery.KEK == r.id &&
		hmac.Equal(w.Recovery.Tag, r.tag(name, Wrapped{KEK: r.id, Sealed: w.Recovery.Sealed, Commitment: w.Commitment}))
}

func (v *Vault) unwrap(name Name, w Wrapped) ([]byte, error) {
	k := v.ring.Load().keys[w.KEK]
	if k == nil {
		return nil, fmt.Errorf("data key: %w", ErrOtherKey)
	}
	return k.unwrap(name, w)
}
