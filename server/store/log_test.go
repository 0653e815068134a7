package store

import (
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/clisonix/tidechart/sessions"
)

// BenchmarkAppendArguments is what a commit of 40 updates to 40 notes takes before it is sent.
func BenchmarkAppendArguments(b *testing.B) {
	batch := sessions.Batch{ID: uuid.New()}
	for range 40 {
		batch.Entries = append(batch.Entries, sessions.Entry{Note: uuid.New(), Author: uuid.New(), Session: uuid.New(), Update: make([]byte, 30)})
		batch.Claims = append(batch.Claims, sessions.Claim{Note: uuid.New(), Person: uuid.New(), Client: 5, From: 1, To: 2})
	}
	const id, ids, numbers = pgtype.UUIDOID, pgtype.UUIDArrayOID, pgtype.Int8ArrayOID
	oids := []uint32{id, ids, pgtype.ByteaArrayOID, ids, ids, numbers, numbers, ids, numbers, ids, numbers, numbers, ids, numbers, numbers, numbers, ids, ids, numbers, pgtype.ByteaArrayOID}
	m := pgtype.NewMap()
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = buf[:0]
		for i, a := range appendArguments(batch) {
			var err error
			if buf, err = m.Encode(oids[i], pgtype.BinaryFormatCode, a, buf); err != nil {
				b.Fatal(err)
			}
		}
	}
}
