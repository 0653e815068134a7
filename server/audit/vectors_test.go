package audit

import (
	"bytes"
	"crypto/rand"
	"path/filepath"
	"testing"

	"filippo.io/mldsa"
	"github.com/cloudflare/circl/sign/mldsa/mldsa65"

	"github.com/clisonix/tidechart/internal/vectors"
)

// verifies reports whether circl and the second implementation both take a signature, or neither.
func verifies(t *testing.T, public, msg, ctx, sig []byte) bool {
	t.Helper()
	var key mldsa65.PublicKey
	ours := len(public) == mldsa65.PublicKeySize && key.UnmarshalBinary(public) == nil && mldsa65.Verify(&key, msg, ctx, sig)
	second, err := mldsa.NewPublicKey(mldsa.MLDSA65(), public)
	theirs := err == nil && mldsa.Verify(second, msg, sig, &mldsa.Options{Context: string(ctx)}) == nil
	if ours != theirs {
		t.Errorf("circl says %v, the second implementation %v", ours, theirs)
	}
	return ours
}

// TestVectorsWycheproof: signatures of ML-DSA-65 that are good, and ones that are made not to be, which sloppy verifiers take; and those that a
// seed makes, to the byte.
func TestVectorsWycheproof(t *testing.T) {
	type test struct {
		TcID          int
		Msg, Ctx, Sig vectors.Hex
		Flags         []string
		Result        string
	}
	var verify struct {
		TestGroups []struct {
			PublicKey vectors.Hex
			Tests     []test
		}
	}
	whole := vectors.Wycheproof(t, "mldsa_65_verify_test", &verify)
	checked, refused := 0, 0
	for _, g := range verify.TestGroups {
		for _, v := range g.Tests {
			if good := verifies(t, g.PublicKey, v.Msg, v.Ctx, v.Sig); good != (v.Result == "valid") {
				t.Errorf("signature %d is %s, and taken: %v", v.TcID, v.Result, good)
			}
			checked++
			if v.Result != "valid" {
				refused++
			}
		}
	}
	if checked < 15 || refused < 8 || whole && checked != 210 {
		t.Errorf("%d signatures checked, %d of which are bad", checked, refused)
	}

	var sign struct {
		TestGroups []struct {
			PrivateSeed, PublicKey vectors.Hex
			Tests                  []test
		}
	}
	vectors.Wycheproof(t, "mldsa_65_sign_seed_test", &sign)
	signed := 0
	for _, g := range sign.TestGroups {
		if len(g.PrivateSeed) != mldsa65.SeedSize {
			if _, err := mldsa.NewPrivateKey(mldsa.MLDSA65(), g.PrivateSeed); err == nil {
				t.Error("a seed of another length is taken") // circl's has its length in its type
			}
			continue
		}
		public, secret := mldsa65.NewKeyFromSeed((*[mldsa65.SeedSize]byte)(g.PrivateSeed))
		if len(g.PublicKey) > 0 && !bytes.Equal(public.Bytes(), g.PublicKey) {
			t.Error("another public key")
		}
		for _, v := range g.Tests {
			if v.Msg == nil || len(v.Flags) > 0 && v.Flags[0] == "Randomized" {
				continue // of a way in that is not there; or drawn
			}
			sig := make([]byte, mldsa65.SignatureSize)
			err := mldsa65.SignTo(secret, v.Msg, v.Ctx, false, sig)
			if valid := v.Result == "valid"; valid != (err == nil) || valid && !bytes.Equal(sig, v.Sig) {
				t.Errorf("signing %d is %s: %v", v.TcID, v.Result, err)
			}
			signed++
		}
	}
	if signed < 6 || whole && signed < 80 {
		t.Errorf("%d messages signed", signed)
	}
}

// TestVectorsACVP: NIST's keys of ML-DSA-65, by both implementations. Its signatures are of a way in that neither has for others.
func TestVectorsACVP(t *testing.T) {
	type set struct {
		TestGroups []struct {
			ParameterSet string
			Tests        []struct {
				TcID     int
				Seed, Pk vectors.Hex
			}
		}
	}
	var prompt, expected set
	dir, checked := filepath.Join(vectors.Circl(t), "sign", "mldsa", "testdata", "ML-DSA-keyGen-FIPS204"), 0
	vectors.Read(t, filepath.Join(dir, "prompt.json.gz"), &prompt)
	vectors.Read(t, filepath.Join(dir, "expectedResults.json.gz"), &expected)
	for i, g := range prompt.TestGroups {
		if g.ParameterSet != "ML-DSA-65" {
			continue
		}
		for j, q := range g.Tests {
			want := expected.TestGroups[i].Tests[j]
			public, _ := mldsa65.NewKeyFromSeed((*[mldsa65.SeedSize]byte)(q.Seed))
			second, err := mldsa.NewPrivateKey(mldsa.MLDSA65(), q.Seed)
			if err != nil || want.TcID != q.TcID || !bytes.Equal(public.Bytes(), want.Pk) || !bytes.Equal(second.PublicKey().Bytes(), want.Pk) {
				t.Errorf("key %d: %v", q.TcID, err)
			}
			checked++
		}
	}
	if checked != 25 {
		t.Errorf("%d keys checked", checked)
	}
}

// TestSecondImplementation: what one signs for checkpoints, the other takes, for this purpose alone; and they make the same key of a seed.
func TestSecondImplementation(t *testing.T) {
	var seed [mldsa65.SeedSize]byte
	_, _ = rand.Read(seed[:]) // never fails
	public, secret := mldsa65.NewKeyFromSeed(&seed)
	second, err := mldsa.NewPrivateKey(mldsa.MLDSA65(), seed[:])
	if err != nil || !bytes.Equal(second.PublicKey().Bytes(), public.Bytes()) {
		t.Fatalf("another public key: %v", err)
	}
	msg, sig := []byte("tidechart\n17\n"), make([]byte, mldsa65.SignatureSize)
	if err := mldsa65.SignTo(secret, msg, Checkpoints.context, true, sig); err != nil {
		t.Fatal(err)
	}
	theirs, err := second.Sign(nil, msg, &mldsa.Options{Context: string(Checkpoints.context)})
	if err != nil {
		t.Fatal(err)
	}
	for what, sig := range map[string][]byte{"circl": sig, "the second": theirs} {
		if !verifies(t, public.Bytes(), msg, Checkpoints.context, sig) || verifies(t, public.Bytes(), msg, nil, sig) || verifies(t, public.Bytes(), msg[1:], Checkpoints.context, sig) {
			t.Errorf("what %s signs", what)
		}
	}
}
