package crdt

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

var (
	// ErrRange is returned for an edit outside a type's content.
	ErrRange = errors.New("position outside the type")
	// ErrDeleted is returned for an edit of a type that is deleted.
	ErrDeleted = errors.New("the shared type is deleted")
	// ErrNotInDoc is returned for an edit of a type that is not in the
	// transaction's document, or for inserting one that is in a document already.
	ErrNotInDoc = errors.New("the shared type is not in this document, or in one already")
	// ErrInTransaction is returned for a transaction inside another, and for an
	// edit after its transaction has ended.
	ErrInTransaction = errors.New("a transaction is open, or this one has ended")
)

// A Txn is an open transaction: what local edits take to be made. The first
// edit that cannot be made ends it: that one and those after it change nothing,
// those before it stand.
type Txn struct {
	d      *Doc
	client ClientID
	cl     int32 // the client's index once it has written something
	open   bool
	err    error

	filling bool // the edit is inserting what a new type holds
	pos     textPos

	// Scratch.
	chars  []byte // of the string that is being inserted
	update []byte
	ranges []DeleteRange
	block  block
}

// Err returns why an edit of this transaction could not be made.
func (tx *Txn) Err() error { return tx.err }

// Transact makes edits in the name of client and returns them as one version 1
// update, nil if they change nothing. No one else may write under that id, in
// any replica: replicas that differ would never know. The bytes are those Yjs
// emits for the same edits.
//
// If an edit could not be made the error is that of [Txn.Err]; the update has
// the edits before it.
func (d *Doc) Transact(client ClientID, f func(*Txn)) (update []byte, err error) {
	if d.txn.open {
		return nil, ErrInTransaction
	}
	if client > MaxInt {
		return nil, fmt.Errorf("client id above 2^53-1")
	}
	tx := &d.txn
	tx.client, tx.cl, tx.open, tx.filling, tx.err = client, none, true, false, nil
	tx.d = d
	d.tx.begin()
	d.runTxn(tx, f)
	return d.LastUpdate(), tx.err
}

// runTxn leaves the document whole even if f panics.
func (d *Doc) runTxn(tx *Txn, f func(*Txn)) {
	defer func() {
		tx.open = false
		d.cleanup()
		d.check()
	}()
	f(tx)
}

// fail ends the transaction.
func (tx *Txn) fail(err error) {
	if tx.err == nil {
		tx.err = err
	}
}

// may reports whether an edit of n can be made.
func (tx *Txn) may(n node) bool {
	switch {
	case tx.err != nil:
	case !tx.open:
		tx.fail(ErrInTransaction)
	case n.d != tx.d || n.d == nil:
		tx.fail(ErrNotInDoc)
	case n.d.gone(n.t):
		tx.fail(ErrDeleted)
	default:
		return true
	}
	return false
}

// gone reports whether type t, or something it is in, is deleted.
func (d *Doc) gone(t int32) bool {
	// A type's item is deleted with what holds it, so one look is enough. A
	// collected item may be another's run by now; it then holds another type.
	item := d.types[t].item
	return item != none && (d.runs[item].deleted() || d.typ.at(item) != t || d.runs[item].ref() != refType)
}

// room reports whether the document can take a run with so many bytes and
// elements of the transaction's client.
func (tx *Txn) room(elements, bytes int) bool {
	d := tx.d
	if tx.cl == none {
		tx.cl = d.lookup(tx.client) // it may have come with an update
	}
	next := uint32(0)
	if tx.cl != none {
		next = d.clients[tx.cl].next
	}
	full := len(d.runs) >= maxRuns || len(d.lists)+2 > maxLists || tx.cl == none && len(d.clients) >= maxClients
	if full || bytes > maxPayload-len(d.pay) || elements > int(MaxClock-next) {
		tx.fail(ErrTooLarge)
		return false
	}
	return true
}

// insert adds a run between two neighbours of list l and returns it, or none if
// the document has no room. The neighbours must stand side by side.
func (tx *Txn) insert(l, left, right int32, ref uint8, n int, content []byte) int32 {
	d := tx.d
	if !tx.room(n, len(content)) {
		return none
	}
	if tx.cl == none {
		tx.cl = d.clientOf(tx.client)
	}
	x := run{clk: d.clients[tx.cl].next, n: uint32(n), l: none, r: none, bits: bitsOf(l, ref)}
	oC, rC := none, none
	if left != none {
		oC, x.oK = d.runs[left].cl(), d.runs[left].end()-1
	}
	if right != none {
		rC, x.rK = d.runs[right].cl(), d.runs[right].clk
	}
	x.clients = clientsOf(tx.cl, oC, rC)
	i := d.newRun(x)
	d.setContent(&d.runs[i], content)
	d.addStruct(i)
	d.link(i, left)
	return i
}

// str returns s as content, which is valid until the next call.
func (tx *Txn) str(s string) (textContent, bool) {
	if !tx.text(s) {
		return textContent{}, false
	}
	if cap(tx.chars) > keepScratch {
		tx.chars = nil
	}
	tx.chars = append(tx.chars[:0], s...)
	return textContent{ref: refString, n: utf16Len(tx.chars), bytes: tx.chars}, true
}

// text reports whether s is UTF-8, as content and keys must be.
func (tx *Txn) text(s string) bool {
	if !utf8.ValidString(s) {
		tx.fail(fmt.Errorf("text is not UTF-8"))
		return false
	}
	return true
}
