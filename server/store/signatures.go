package store

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/signature"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
)

type clientID = crdt.ClientID

// Signature is one of a note, with what was signed.
type Signature struct {
	signature.Statement
	By     uuid.UUID      // who signed
	Hash   signature.Hash // of the statement's text
	Signed []byte         // the statement with both signatures
	Keys   audit.Keys     // that made them
	Cosign bool           // an attending has to sign as well

	Who  signature.Identity // the patient, as the signer was shown; zero: signed by an earlier version
	Said string             // with it; "": nothing
}

// Mark is how the log of acts names a signature. Nobody finds the statement by it.
func (s Signature) Mark() string {
	return signature.Mark(s.Hash)
}

// statementAt is where a signed statement is sealed for.
func statementAt(n int, signer uuid.UUID) vault.Place {
	return vault.Place{Kind: vault.Signature, Seq: uint64(n), Schema: 1, With: signer[:]}
}

// signedAt is where canonical content or attribution is sealed for.
func signedAt(kind vault.Kind, hash signature.Hash) vault.Place {
	return vault.Place{Kind: kind, Schema: 1, With: hash[:]}
}

// saidAt is where what a signature says by a hash is sealed for.
func saidAt(kind vault.Kind, n int, hash signature.Hash) vault.Place {
	return vault.Place{Kind: kind, Seq: uint64(n), Schema: 1, With: hash[:]}
}

// openSaid opens what a statement says by hashes alone.
func (k *keySet) openSaid(row queries.SignaturesOfRow, s *Signature) error {
	if s.Patient == uuid.Nil {
		return nil
	}
	var identity string
	err := openValue(k, saidAt(vault.SignedIdentity, int(row.N), s.Identity), row.Identity, &identity)
	if err == nil {
		s.Who, err = signature.ParseIdentity(identity)
	}
	if err == nil && s.Remark != (signature.Hash{}) {
		err = openValue(k, saidAt(vault.SignedRemark, int(row.N), s.Remark), row.Remark, &s.Said)
	}
	if err == nil && (signature.HashOf([]byte(identity)) != s.Identity || s.Said != "" && signature.HashOf([]byte(s.Said)) != s.Remark) {
		err = vault.ErrTampered
	}
	return err
}

// openSignature opens a signature, and checks that it is what its row says, by the keys that its row has.
func (k *keySet) openSignature(row queries.SignaturesOfRow) (s Signature, err error) {
	if s.Signed, err = k.open(statementAt(int(row.N), row.SignerID), row.Statement); err != nil {
		return s, fmt.Errorf("signature %d: %w", row.N, err)
	}
	if s.Keys, err = signature.ParseKeys(row.Public); err != nil {
		return s, fmt.Errorf("signature %d: %w", row.N, err)
	}
	statement, text, err := signature.Open(s.Keys, s.Signed)
	if err != nil {
		return s, fmt.Errorf("signature %d: %w", row.N, err)
	}
	s.Statement, s.By, s.Hash, s.Cosign = statement, statement.Signer, signature.HashOf([]byte(text)), row.Cosign
	if statement.Note != row.NoteID || statement.Number != int(row.N) || statement.Signer != row.SignerID || string(statement.Meaning) != row.Meaning ||
		!statement.At.Equal(row.At) || statement.Seq != uint64(row.Head) || statement.Name != row.Name || statement.Role != row.Role ||
		string(s.Hash[:]) != string(row.Hash) {
		return s, fmt.Errorf("signature %d is not what its row says: %w", row.N, vault.ErrTampered)
	}
	if err := k.openSaid(row, &s); err != nil {
		return s, fmt.Errorf("what signature %d says: %w", row.N, err)
	}
	return s, nil
}

// Signatures returns those of a note, the author's first; none: it is not signed. Each is checked, and belongs to the one before.
func (db *DB) Signatures(ctx context.Context, note uuid.UUID) (all []Signature, err error) {
	rows, err := db.SignaturesOf(ctx, []uuid.UUID{note})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	err = db.withKeys(ctx, note, func(keys *keySet) error {
		all = nil
		for _, row := range rows {
			s, err := keys.openSignature(row)
			if err != nil {
				return err
			}
			if k := len(all); k > 0 && (s.Previous != all[k-1].Hash || s.Hashes != all[0].Hashes || s.Seq != all[0].Seq) {
				return fmt.Errorf("signature %d does not follow from the one before: %w", row.N, vault.ErrTampered)
			}
			all = append(all, s)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("signatures of note %s: %w", note, err)
	}
	return all, nil
}

// SignedText returns the canonical content and attribution that were signed of a note. [ErrNotFound]: it is not signed. What does not
// have the hashes that were signed is a [vault.ErrTampered].
func (db *DB) SignedText(ctx context.Context, note uuid.UUID) (content, attribution []byte, err error) {
	signatures, err := db.Signatures(ctx, note)
	if err != nil {
		return nil, nil, err
	}
	row, err := db.SignedNote(ctx, note)
	if err != nil {
		return nil, nil, err
	}
	if len(signatures) == 0 {
		return nil, nil, ErrNotFound
	}
	of := signatures[0].Hashes
	err = db.withKeys(ctx, note, func(keys *keySet) (err error) {
		if content, err = keys.open(signedAt(vault.SignedContent, of.Content), row.Content); err == nil {
			attribution, err = keys.open(signedAt(vault.SignedAuthors, of.Attribution), row.Attribution)
		}
		return err
	})
	if err == nil && (signature.Hashes{Content: signature.HashOf(content), Attribution: signature.HashOf(attribution)}) != of {
		err = vault.ErrTampered
	}
	if err != nil {
		return nil, nil, fmt.Errorf("signed text of note %s: %w", note, err)
	}
	return content, attribution, nil
}
