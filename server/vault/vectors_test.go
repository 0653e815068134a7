package vault

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hpke"
	"crypto/mlkem"
	"crypto/mlkem/mlkemtest"
	"crypto/rand"
	"crypto/sha256"
	"path/filepath"
	"testing"

	circl "github.com/cloudflare/circl/hpke"
	"github.com/cloudflare/circl/kem/mlkem/mlkem768"

	"github.com/clisonix/tidechart/internal/vectors"
)

// TestVectorsHPKE: X-Wing by HPKE opens what the draft's authors sealed.
func TestVectorsHPKE(t *testing.T) {
	var all []struct {
		KDF         uint16 `json:"kdf_id"`
		AEAD        uint16 `json:"aead_id"`
		Info        vectors.Hex
		SkRm        vectors.Hex
		PkRm        vectors.Hex
		Enc         vectors.Hex
		Encryptions []struct{ Aad, Ct, Pt vectors.Hex }
	}
	vectors.Read(t, "testdata/hpke-xwing.json.gz", &all)
	opened := 0
	for _, v := range all {
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
	var all struct {
		AESGCM []struct {
			TcID                       int
			Key, IV, AAD, Msg, Ct, Tag vectors.Hex
			Result                     string
		}
		HKDF []struct {
			TcID                 int
			IKM, Salt, Info, OKM vectors.Hex
			Size                 int
			Result               string
		}
		MLKEM768 []struct {
			TcID           int
			Seed, Ek, C, K vectors.Hex
			Result         string
		}
	}
	vectors.Read(t, "testdata/wycheproof.json.gz", &all)
	if len(all.AESGCM) != 66 || len(all.HKDF) != 86 || len(all.MLKEM768) != 24 {
		t.Fatal("vectors are missing")
	}
	for _, v := range all.AESGCM {
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
	for _, v := range all.HKDF {
		prk, err := hkdf.Extract(sha256.New, v.IKM, v.Salt)
		if err != nil {
			t.Fatal(err)
		}
		okm, err := hkdf.Expand(sha256.New, prk, string(v.Info), v.Size)
		if valid := v.Result == "valid"; valid != (err == nil) || valid && !bytes.Equal(okm, v.OKM) {
			t.Errorf("HKDF %d is %s: %v", v.TcID, v.Result, err)
		}
	}
	for _, v := range all.MLKEM768 {
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

// TestVectorsMLKEM: keys, encapsulations and their openings, good and bad, of ML-KEM-768, by the standard library and by circl.
func TestVectorsMLKEM(t *testing.T) {
	scheme := mlkem768.Scheme()
	type tests struct {
		TestGroups []struct {
			Tests []struct {
				TcID              int
				Seed, Ek, C, K, M vectors.Hex
				Result            string
			}
		}
	}
	checked, bad, whole := 0, 0, false
	for _, name := range []string{"mlkem_768_test", "mlkem_768_keygen_seed_test", "mlkem_768_encaps_test"} {
		var all tests
		whole = vectors.Wycheproof(t, name, &all)
		for _, g := range all.TestGroups {
			for _, v := range g.Tests {
				checked++
				valid := v.Result == "valid"
				if !valid {
					bad++
				}
				if v.Seed == nil { // to be encapsulated
					std, err := mlkem.NewEncapsulationKey768(v.Ek)
					if valid != (err == nil) {
						t.Errorf("%s %d is %s: %v", name, v.TcID, v.Result, err)
						continue
					}
					second, circlErr := scheme.UnmarshalBinaryPublicKey(v.Ek)
					if valid != (circlErr == nil) {
						t.Errorf("%s %d is %s for circl: %v", name, v.TcID, v.Result, circlErr)
					}
					if !valid || len(v.K) == 0 {
						continue
					}
					k, c, err := mlkemtest.Encapsulate768(std, v.M)
					theirC, theirK, circlErr := scheme.EncapsulateDeterministically(second, v.M)
					if err != nil || circlErr != nil || !bytes.Equal(k, v.K) || !bytes.Equal(c, v.C) || !bytes.Equal(theirK, v.K) || !bytes.Equal(theirC, v.C) {
						t.Errorf("%s %d: %v, %v", name, v.TcID, err, circlErr)
					}
					continue
				}
				std, err := mlkem.NewDecapsulationKey768(v.Seed)
				var k []byte
				if err == nil && v.C != nil {
					k, err = std.Decapsulate(v.C)
				}
				if valid != (err == nil) || valid && (!bytes.Equal(k, v.K) || !bytes.Equal(std.EncapsulationKey().Bytes(), v.Ek)) {
					t.Errorf("%s %d is %s: %v", name, v.TcID, v.Result, err)
				}
				if len(v.Seed) != scheme.SeedSize() { // circl panics, as documented
					continue
				}
				public, secret := scheme.DeriveKeyPair(v.Seed)
				if ek, err := public.MarshalBinary(); err != nil || len(v.Ek) > 0 && !bytes.Equal(ek, v.Ek) {
					t.Errorf("%s %d: circl makes another key: %v", name, v.TcID, err)
				}
				if v.C != nil {
					if k, err := scheme.Decapsulate(secret, v.C); valid != (err == nil) || valid && !bytes.Equal(k, v.K) {
						t.Errorf("%s %d is %s for circl: %v", name, v.TcID, v.Result, err)
					}
				}
			}
		}
	}
	if checked < 20 || bad < 8 || whole && checked != 201+100+265 {
		t.Errorf("%d vectors, %d of which are bad", checked, bad)
	}
}

// TestMLKEMBothWays: the standard library opens what circl encapsulates, and the other way round.
func TestMLKEMBothWays(t *testing.T) {
	key, err := mlkem.GenerateKey768()
	if err != nil {
		t.Fatal(err)
	}
	scheme := mlkem768.Scheme()
	public, secret := scheme.DeriveKeyPair(key.Bytes())
	k, c := key.EncapsulationKey().Encapsulate()
	if theirs, err := scheme.Decapsulate(secret, c); err != nil || !bytes.Equal(theirs, k) {
		t.Errorf("circl opens something else: %v", err)
	}
	c, k, err = scheme.Encapsulate(public)
	if err != nil {
		t.Fatal(err)
	}
	if ours, err := key.Decapsulate(c); err != nil || !bytes.Equal(ours, k) {
		t.Errorf("the standard library opens something else: %v", err)
	}
	c[7] ^= 1
	ours, err := key.Decapsulate(c)
	theirs, circlErr := scheme.Decapsulate(secret, c)
	if err != nil || circlErr != nil || !bytes.Equal(ours, theirs) || bytes.Equal(ours, k) {
		t.Errorf("what was changed is refused in two ways: %v, %v", err, circlErr)
	}
}

// acvp are the questions, or the answers, of one set of ACVP.
type acvp struct {
	TestGroups []struct {
		TgID                             int
		ParameterSet, TestType, Function string
		Tests                            []struct {
			TcID              int
			Z, D, Ek, M, C, K vectors.Hex
		}
	}
}

// TestVectorsACVP: NIST's keys and encapsulations of ML-KEM-768.
func TestVectorsACVP(t *testing.T) {
	dir, checked := filepath.Join(vectors.Circl(t), "kem", "mlkem", "testdata"), 0
	for _, set := range []string{"ML-KEM-keyGen-FIPS203", "ML-KEM-encapDecap-FIPS203"} {
		var prompt, expected acvp
		vectors.Read(t, filepath.Join(dir, set, "prompt.json.gz"), &prompt)
		vectors.Read(t, filepath.Join(dir, set, "expectedResults.json.gz"), &expected)
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
