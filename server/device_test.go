package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
)

// Flags of what a device says about a ceremony, as WebAuthn numbers them.
const (
	present  = 0x01
	verified = 0x04
	mayCopy  = 0x08
	copied   = 0x10
	hasKey   = 0x40
)

// device is a program that keeps one passkey, and says about it what a test wants it to.
type device struct {
	t      *testing.T
	key    *ecdsa.PrivateKey
	id     []byte
	handle []byte // of its owner
	count  uint32
	flags  byte
	site   string // name that it hashes
	origin string // that its browser says
}

func newDevice(t *testing.T) *device {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	d := &device{t: t, key: key, id: make([]byte, 32), flags: present | verified, site: here.Host, origin: here.String()}
	_, _ = rand.Read(d.id)
	return d
}

func plain64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func base64Of(t *testing.T, s string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// data is what the device says, without the key.
func (d *device) data(flags byte) []byte {
	site := sha256.Sum256([]byte(d.site))
	return binary.BigEndian.AppendUint32(append(site[:], flags), d.count)
}

// client is what its browser says.
func (d *device) client(kind, challenge string) []byte {
	b, err := json.Marshal(map[string]any{"type": "webauthn." + kind, "challenge": challenge, "origin": d.origin, "crossOrigin": false})
	if err != nil {
		d.t.Fatal(err)
	}
	return b
}

// make answers options for a new passkey.
func (d *device) make(challenge string) string {
	data := append(d.data(d.flags|hasKey), make([]byte, 16)...) // no model
	data = binary.BigEndian.AppendUint16(data, uint16(len(d.id)))
	data = append(data, d.id...)
	x, y := make([]byte, 32), make([]byte, 32)
	d.key.X.FillBytes(x)
	d.key.Y.FillBytes(y)
	data = append(data, 0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32) // COSE: EC2, ES256, P-256
	data = append(append(data, x...), 0x22, 0x58, 32)
	data = append(data, y...)
	object := append([]byte("\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58"), byte(len(data)))
	return d.answer(map[string]any{
		"clientDataJSON": plain64(d.client("create", challenge)), "attestationObject": plain64(append(object, data...)), "transports": []string{"internal"},
	})
}

// use answers options for one that there is.
func (d *device) use(challenge string) string {
	client, data := d.client("get", challenge), d.data(d.flags)
	clientHash := sha256.Sum256(client)
	hash := sha256.Sum256(append(data[:len(data):len(data)], clientHash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, d.key, hash[:])
	if err != nil {
		d.t.Fatal(err)
	}
	return d.answer(map[string]any{
		"clientDataJSON": plain64(client), "authenticatorData": plain64(data), "signature": plain64(signature), "userHandle": plain64(d.handle),
	})
}

func (d *device) answer(response map[string]any) string {
	b, err := json.Marshal(map[string]any{
		"id": plain64(d.id), "rawId": plain64(d.id), "type": "public-key", "response": response, "clientExtensionResults": map[string]any{},
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return string(b)
}

// scripted is what a page's script is told.
type scripted struct {
	Options struct {
		PublicKey struct {
			Challenge              string `json:"challenge"`
			UserVerification       string `json:"userVerification"`
			AllowCredentials       []any  `json:"allowCredentials"`
			ExcludeCredentials     []any  `json:"excludeCredentials"`
			AuthenticatorSelection struct {
				ResidentKey      string `json:"residentKey"`
				UserVerification string `json:"userVerification"`
			} `json:"authenticatorSelection"`
			User struct {
				ID string `json:"id"`
			} `json:"user"`
		} `json:"publicKey"`
	} `json:"options"`
	Next  string `json:"next"`
	Error string `json:"error"`
}

// tell sends what a page's script does.
func (h *hospital) tell(c *http.Client, path string, form url.Values) (int, scripted) {
	h.t.Helper()
	status, body := h.post(c, path, form)
	var s scripted
	if err := json.Unmarshal([]byte(body), &s); err != nil {
		h.t.Fatalf("%s: %d %.200s", path, status, body)
	}
	return status, s
}

// ask begins a ceremony and returns its challenge.
func (h *hospital) ask(c *http.Client, kind string) string {
	h.t.Helper()
	status, s := h.tell(c, "/passkeys/"+kind+"/ask", nil)
	if status != http.StatusOK || len(s.Options.PublicKey.Challenge) < 22 {
		h.t.Fatalf("asked for a passkey to %s: %d %s", kind, status, s.Error)
	}
	return s.Options.PublicKey.Challenge
}

// finish ends one.
func (h *hospital) finish(c *http.Client, kind, answer string) (status int, next string) {
	h.t.Helper()
	status, s := h.tell(c, "/passkeys/"+kind, url.Values{"credential": {answer}, "next": {"/security"}})
	return status, s.Next
}

// add gives whoever is signed in at a browser the device's passkey.
func (h *hospital) add(c *http.Client, d *device) {
	h.t.Helper()
	_, s := h.tell(c, "/passkeys/add/ask", nil)
	d.handle = base64Of(h.t, s.Options.PublicKey.User.ID)
	if status, next := h.finish(c, "add", d.make(s.Options.PublicKey.Challenge)); status != http.StatusOK || next != "/security" {
		h.t.Fatalf("adding a passkey: %d to %q", status, next)
	}
}

// signInBy signs in with the device.
func (h *hospital) signInBy(c *http.Client, d *device) int {
	h.t.Helper()
	d.count++
	status, _ := h.finish(c, "sign-in", d.use(h.ask(c, "sign-in")))
	return status
}
