package vault

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// Service is a key service: it seals and opens a few bytes by a key that never leaves it. What it returns as sealed is one
// line of at most [maxTicket] printable characters.
type Service interface {
	Seal(ctx context.Context, plain []byte) (sealed string, err error)
	Open(ctx context.Context, sealed string) (plain []byte, err error)
}

// ErrSealedFile means that a key service has to open a key file, and none was named.
var ErrSealedFile = errors.New("its keys are sealed by a key service, and none is named: give --kms URL")

// errNoSealed says nothing of what was read instead.
var errNoSealed = errors.New("no sealed keys in it, or damaged ones; it has a line that begins with " + sealedPrefix + " and one of the key service's")

const (
	sealedPrefix  = "TIDECHART-SEALED-1-"
	sealedPurpose = "tidechart/key-file/v1"
	maxTicket     = 2 << 10 // of a key service's line, in bytes (I10)
)

const sealedText = `# Tidechart's keys, sealed by a key service; the last is the newest. Who has this file, and no answer from that service, has nothing.
# Who loses this file, or that service its key, loses what the keys seal, ever: keep copies of both.
`

// IsSealed reports whether a key service seals what a key file says.
func IsSealed(text []byte) bool {
	for raw := range bytes.Lines(text) {
		if bytes.HasPrefix(bytes.TrimSpace(raw), []byte(sealedPrefix)) {
			return true
		}
	}
	return false
}

// Sealed returns what a key file says that a key service seals: the keys, by a key of this file alone, and that key, by the
// service. So the service never sees the keys, and whoever has but one of both, file or service, has nothing.
func (s Secret) Sealed(ctx context.Context, by Service) ([]byte, error) {
	plain, err := s.text()
	if err != nil {
		return nil, err
	}
	var key [keySize]byte
	_, _ = rand.Read(key[:]) // never fails
	ticket, err := by.Seal(ctx, key[:])
	if err != nil {
		return nil, err
	}
	if !isTicket(ticket) {
		return nil, errors.New("the key service answers with something that is no line of text")
	}
	var text bytes.Buffer
	text.WriteString(sealedText)
	for raw := range strings.Lines(plain) {
		if raw[0] == '#' { // which keys they are
			text.WriteString(raw)
		}
	}
	sealed := fileCipher(key).Seal(nil, nil, []byte(plain), []byte(sealedPurpose))
	fmt.Fprintf(&text, "%s%s\n%s\n", sealedPrefix, base64.StdEncoding.EncodeToString(sealed), ticket)
	return text.Bytes(), nil
}

// ParseSealed reads back what [Secret.Sealed] returned, with one question to the service.
func ParseSealed(ctx context.Context, text []byte, by Service) (Secret, error) {
	sealed, ticket, err := sealedParts(text)
	if err != nil {
		return Secret{}, err
	}
	key, err := by.Open(ctx, ticket)
	if err != nil {
		return Secret{}, err
	}
	if len(key) != keySize {
		return Secret{}, errors.New("the key service opens something else than the key of this file")
	}
	plain, err := fileCipher([keySize]byte(key)).Open(nil, nil, sealed, []byte(sealedPurpose))
	if err != nil {
		return Secret{}, errors.New("the key that the service opens is not this file's, or the file was changed")
	}
	return Parse(plain)
}

// Ticket is the key service's own line of a sealed key file; empty if there is none. It tells nothing of the keys.
func Ticket(text []byte) string {
	_, ticket, _ := sealedParts(text)
	return ticket
}

// sealedParts takes the text of a sealed key file apart.
func sealedParts(text []byte) (sealed []byte, ticket string, err error) {
	var lines []string
	for raw := range bytes.Lines(text) {
		if line := strings.TrimSpace(string(raw)); line != "" && line[0] != '#' {
			lines = append(lines, line)
		}
	}
	if len(lines) != 2 || !isTicket(lines[1]) {
		return nil, "", errNoSealed
	}
	written, is := strings.CutPrefix(lines[0], sealedPrefix)
	if sealed, err = base64.StdEncoding.DecodeString(written); err != nil || !is {
		return nil, "", errNoSealed
	}
	return sealed, lines[1], nil
}

// isTicket reports whether a key service's answer can be a line of the file.
func isTicket(s string) bool {
	for _, r := range s {
		if r <= ' ' || r > '~' {
			return false
		}
	}
	return s != "" && s[0] != '#' && len(s) <= maxTicket && !strings.HasPrefix(s, "TIDECHART-")
}

func fileCipher(key [keySize]byte) cipher.AEAD {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic("vault: " + err.Error()) // only for keys of another length
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic("vault: " + err.Error()) // only for blocks of another length
	}
	return aead
}
