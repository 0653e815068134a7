package login

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Cost of argon2id, OWASP's minimum: 19 MiB ([argonMemory]), two passes, one lane.
const (
	argonPasses  = 2
	argonLanes   = 1
	argonSalt    = 16 // bytes
	argonKey     = 32 // bytes
	maxPassword  = 1 << 10
	maxHashing   = 2  // at once: each takes 19 MiB and a core
	maxQueueing  = 64 // that wait for their turn; more are turned away
	phcFormat    = "$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s"
	phcSeparator = "$"
)

// errMalformedHash means that a stored hash is not one of ours.
var errMalformedHash = errors.New("malformed password hash")

// hashing bounds how many passwords are hashed at once, queueing how many wait for it.
var (
	hashing  = make(chan struct{}, maxHashing)
	queueing = make(chan struct{}, maxQueueing)
)

// HashPassword returns a PHC string of argon2id under a fresh salt.
func HashPassword(password string) string {
	salt := make([]byte, argonSalt)
	_, _ = rand.Read(salt) // never fails
	return hashWith(password, salt)
}

func hashWith(password string, salt []byte) string {
	key := argon2.IDKey([]byte(password), salt, argonPasses, argonMemory, argonLanes, argonKey)
	return fmt.Sprintf(phcFormat, argonMemory, argonPasses, argonLanes,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key))
}

// checkPassword reports whether password is the one behind a PHC string. See inTurn for its errors.
func checkPassword(ctx context.Context, phc, password string) (bool, error) {
	if len(password) > maxPassword {
		return false, nil
	}
	parts := strings.Split(phc, phcSeparator)
	if len(parts) != 6 {
		return false, errMalformedHash
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil {
		return false, errMalformedHash
	}
	var right bool
	err = inTurn(ctx, func() { right = subtle.ConstantTimeCompare([]byte(hashWith(password, salt)), []byte(phc)) == 1 })
	return right, err
}

// inTurn runs hash when it is its turn to, or returns [ErrBusy], or ctx's error.
func inTurn(ctx context.Context, hash func()) error {
	select {
	case queueing <- struct{}{}:
		defer func() { <-queueing }()
	default:
		return ErrBusy
	}
	select {
	case hashing <- struct{}{}:
		defer func() { <-hashing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	hash()
	return nil
}
