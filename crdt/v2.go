package crdt

import "fmt"

// ApplyUpdateV2 is [Doc.ApplyUpdate] for version 2. Version 2 repeats values at
// no cost: it may take as much as its version 1, which is up to 8 times as long,
// and 1 MB.
func (d *Doc) ApplyUpdateV2(v2 []byte) error {
	if d.load(v2, true) {
		return nil
	}
	u, err := decodeV2(v2)
	if err != nil {
		return err
	}
	return d.Apply(u)
}

// EncodeStateAsUpdateV2 is [Doc.EncodeStateAsUpdate] for version 2. State
// vectors are the same in both.
func (d *Doc) EncodeStateAsUpdateV2(sv []byte) ([]byte, error) {
	return d.encodeState(sv, func() writer { return new(writerV2) })
}

// DecodeUpdateV2 is [DecodeUpdate] for version 2.
func DecodeUpdateV2(v2 []byte) (*Update, error) { return decodeV2(v2) }

// MergeUpdatesV2 is [MergeUpdates] for version 2.
func MergeUpdatesV2(updates [][]byte) ([]byte, error) {
	if len(updates) == 1 {
		_, err := decodeV2(updates[0])
		return updates[0], err
	}
	us := make([]Update, len(updates))
	for i, b := range updates {
		u, err := decodeV2(b)
		if err != nil {
			return nil, fmt.Errorf("update %d of %d: %w", i+1, len(updates), err)
		}
		us[i] = *u
	}
	w := new(writerV2)
	mergeBlocks(us, w)
	return w.finishAll(us, true), nil
}

// EncodeStateVectorFromUpdateV2 is [EncodeStateVectorFromUpdate] for version 2.
func EncodeStateVectorFromUpdateV2(update []byte) ([]byte, error) {
	u, err := decodeV2(update)
	if err != nil {
		return nil, err
	}
	return u.stateVector(), nil
}

// DiffUpdateV2 is [DiffUpdate] for version 2.
func DiffUpdateV2(update, sv []byte) ([]byte, error) {
	have, err := DecodeStateVector(sv)
	if err != nil {
		return nil, fmt.Errorf("state vector: %w", err)
	}
	u, err := decodeV2(update)
	if err != nil {
		return nil, err
	}
	w := new(writerV2)
	diffBlocks(u, have, w)
	return w.finishAll([]Update{*u}, false), nil
}

// ConvertUpdateV1ToV2 re-encodes a version 1 update. Storage must remember
// which version it holds: either decoder may take the other's bytes for an
// empty document.
func ConvertUpdateV1ToV2(v1 []byte) ([]byte, error) {
	u, err := DecodeUpdate(v1)
	if err != nil {
		return nil, err
	}
	w := new(writerV2)
	u.copyTo(w)
	return w.finishAll([]Update{*u}, false), nil
}

// ConvertUpdateV2ToV1 re-encodes a version 2 update. It allocates up to 8 times
// the update and 1 MB, unless that has embeds or formats: their values become
// JSON, in which a byte array takes up to 15 times as much, and writing it costs
// as much again.
func ConvertUpdateV2ToV1(v2 []byte) ([]byte, error) {
	u, err := decodeV2(v2)
	if err != nil {
		return nil, err
	}
	if u.stripKeyFlags() && u.dsPlain {
		return u.b, nil
	}
	return u.Bytes(), nil
}

// stripKeyFlags makes the structs of u, which nobody else has, those that Yjs
// would pass on, and reports whether they are version 1 then: whether they are
// without values that version 2 alone has.
func (u *Update) stripKeyFlags() bool {
	var b block
	for _, s := range u.sections {
		for x := u.structs(s); x.next(&b); {
			if b.ref == refEmbedAny || b.ref == refFormatAny {
				return false
			}
			if b.subBit && !b.hasSub {
				b.raw[0] &^= infoSub
			}
		}
	}
	return true
}

// copyTo writes all structs to w.
func (u *Update) copyTo(w writer) {
	var b block
	for _, s := range u.sections {
		for x := u.structs(s); x.next(&b); {
			w.block(&b)
		}
	}
}
