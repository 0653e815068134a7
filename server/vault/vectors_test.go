package vault

import (
	"bytes"
	"compress/gzip"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hpke"
	"crypto/mlkem"
	"crypto/mlkem/mlkemtest"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	circl "github.com/cloudflare/circl/hpke"
)

// hexed is bytes that a file has as hexadecimal digits.
type hexed []byte

func (h *hexed) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

func readVectors(t *testing.T, path string, into any) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	unpacked, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(unpacked).Decode(into); err != nil {
		t.Fatal(err)
	}
}

// TestVectorsHPKE: X-Wing by HPKE opens what the draft's authors sealed.
func TestVectorsHPKE(t *testing.T) {
	var vectors []struct {
		KDF         uint16 `json:"kdf_id"`
		AEAD        uint16 `json:"aead_id"`
		Info        hexed
		SkRm        hexed
		PkRm        hexed
		Enc         hexed
		Encryptions []struct{ Aad, Ct, Pt hexed }
	}
	readVectors(t, "testdata/hpke-xwing.json.gz", &vectors)
	opened := 0
	for _, v := range vectors {
		key, err := hpke.MLKEM768X25519().NewPrivateKey(v.SkRm)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(key.PublicKey().Bytes(), v.PkRm) {
			t.Error("another public key")
		}
		kdf, err := hpke.NewKDF(v.KDF)
		if err != nil {
			t.Fatal(err)
		}
		aead, err := hpke.NewAEAD(v.AEAD)
		if err != nil {
			t.Fatal(err)
		}
		r, err := hpke.NewRecipient(v.Enc, key, kdf, aead, v.Info)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range v.Encryptions {
			if plain, err := r.Open(e.Aad, e.Ct); err != nil || !bytes.Equal(plain, e.Pt) {
				t.Fatalf("KDF %d: %x, %v", v.KDF, plain, err)
			}
			opened++
		}
	}
	if opened != 20 {
		t.Errorf("%d messages opened", opened)
	}
}

// TestSecondImplementation: circl opens what the vault wraps, and the vault what circl wraps.
func TestSecondImplementation(t *testing.T) {
	v, name := newVault(t), somebody()
	k := v.ring.Load().sealing
	seed, err := k.private.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	suite := circl.NewSuite(circl.KEM_XWING, circl.KDF_HKDF_SHA256, circl.AEAD_AES256GCM)
	scheme := circl.KEM_XWING.Scheme()
	secret, err := scheme.UnmarshalBinaryPrivateKey(seed)
	if err != nil {
		t.Fatal(err)
	}
	public, err := secret.Public().MarshalBinary()
	if err != nil || !bytes.Equal(public, k.public.Bytes()) {
		t.Fatalf("another public key: %v", err)
	}

	key, w, err := v.NewKey(name)
	if err != nil {
		t.Fatal(err)
	}
	enc, sealed := w.Sealed[1:1+scheme.CiphertextSize()], w.Sealed[1+scheme.CiphertextSize():]
	receiver, err := suite.NewReceiver(secret, k.info(suite1, name))
	if err != nil {
		t.Fatal(err)
	}
	opener, err := receiver.Setup(enc)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := opener.Open(sealed, nil); err != nil || !bytes.Equal(plain, key.secret[:]) {
		t.Errorf("circl opens what the vault wrapped as something else: %v", err)
	}

	theirs := bytes.Repeat([]byte{7}, keySize)
	sender, err := suite.NewSender(secret.Public(), k.info(suite1, name))
	if err != nil {
		t.Fatal(err)
	}
	enc, sealer, err := sender.Setup(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err = sealer.Seal(theirs, nil)
	if err != nil {
		t.Fatal(err)
	}
	w = Wrapped{KEK: k.id, Sealed: append(append([]byte{suite1}, enc...), sealed...), Commitment: commitment(theirs, name)}
	w.Tag = k.tag(name, w)
	if key, err := v.Unwrap(name, w); err != nil || !bytes.Equal(key.secret[:], theirs) {
		t.Errorf("the vault opens what circl wrapped: %v", err)
	}
}

// TestVectorsWycheproof: the parts, each as it is used here.
func TestVectorsWycheproof(t *testing.T) {
	var vectors struct {
		AESGCM []struct {
			TcID                       int
			Key, IV, AAD, Msg, Ct, Tag hexed
			Result                     string
		}
		HKDF []struct {
			TcID                 int
			IKM, Salt, Info, OKM hexed
			Size                 int
			Result               string
		}
		MLKEM768 []struct {
			TcID           int
			Seed, Ek, C, K hexed
			Result         string
		}
	}
	readVectors(t, "testdata/wycheproof.json.gz", &vectors)
	if len(vectors.AESGCM) != 66 || len(vectors.HKDF) != 86 || len(vectors.MLKEM768) != 24 {
		t.Fatal("vectors are missing")
	}
	for _, v := range vectors.AESGCM {
		block, err := aes.NewCipher(v.Key)
		if err != nil {
			t.Fatal(err)
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := aead.Open(nil, nil, append(append(v.IV, v.Ct...), v.Tag...), v.AAD)
		if valid := v.Result == "valid"; valid != (err == nil) || valid && !bytes.Equal(plain, v.Msg) {
			t.Errorf("AES-GCM %d is %s: %v", v.TcID, v.Result, err)
		}
	}
	for _, v := range vectors.HKDF {
		prk, err := hkdf.Extract(sha256.New, v.IKM, v.Salt)
		if err != nil {
			t.Fatal(err)
		}
		okm, err := hkdf.Expand(sha256.New, prk, string(v.Info), v.Size)
		if valid := v.Result == "valid"; valid != (err == nil) || valid && !bytes.Equal(okm, v.OKM) {
			t.Errorf("HKDF %d is %s: %v", v.TcID, v.Result, err)
		}
	}
	for _, v := range vectors.MLKEM768 {
		key, err := mlkem.NewDecapsulationKey768(v.Seed)
		var shared []byte
		if err == nil {
			shared, err = key.Decapsulate(v.C)
		}
		if valid := v.Result == "valid"; valid != (err == nil) || valid && (!bytes.Equal(shared, v.K) || !bytes.Equal(key.EncapsulationKey().Bytes(), v.Ek)) {
			t.Errorf("ML-KEM %d is %s: %v", v.TcID, v.Result, err)
		}
	}
}

// acvp are the questions, or the answers, of one set of ACVP.
type acvp struct {
	TestGroups []struct {
		TgID                             int
		ParameterSet, TestType, Function string
		Tests                            []struct {
			TcID              int
			Z, D, Ek, M, C, K hexed
		}
	}
}

// TestVectorsACVP: NIST's keys and encapsulations of ML-KEM-768.
func TestVectorsACVP(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/cloudflare/circl").Output()
	if err != nil {
		t.Fatal(err)
	}
	dir, checked := filepath.Join(strings.TrimSpace(string(out)), "kem", "mlkem", "testdata"), 0
	for _, set := range []string{"ML-KEM-keyGen-FIPS203", "ML-KEM-encapDecap-FIPS203"} {
		var prompt, expected acvp
		readVectors(t, filepath.Join(dir, set, "prompt.json.gz"), &prompt)
		readVectors(t, filepath.Join(dir, set, "expectedResults.json.gz"), &expected)
		for i, group := range prompt.TestGroups {
			if group.ParameterSet != "ML-KEM-768" || group.TestType != "AFT" {
				continue // VAL is of keys in a form that is not used here
			}
			for j, q := range group.Tests {
				want := expected.TestGroups[i].Tests[j]
				if want.TcID != q.TcID {
					t.Fatal("questions and answers are in another order")
				}
				checked++
				if group.Function == "" {
					key, err := mlkem.NewDecapsulationKey768(append(q.D, q.Z...))
					if err != nil || !bytes.Equal(key.EncapsulationKey().Bytes(), want.Ek) {
						t.Errorf("key %d: %v", q.TcID, err)
					}
					continue
				}
				ek, err := mlkem.NewEncapsulationKey768(q.Ek)
				if err != nil {
					t.Fatal(err)
				}
				k, c, err := mlkemtest.Encapsulate768(ek, q.M)
				if err != nil || !bytes.Equal(k, want.K) || !bytes.Equal(c, want.C) {
					t.Errorf("encapsulation %d: %v", q.TcID, err)
				}
			}
		}
	}
	if checked < 50 {
		t.Errorf("%d vectors checked", checked)
	}
}
