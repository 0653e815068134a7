// Package crdt is a document that several people change at once: a
// conflict-free replicated data type, wire-compatible with Yjs 13.
//
// A [Doc] holds named shared types: text, XML, arrays and maps, nested at will.
// Replicas exchange updates in any order, late, twice or merged, and end with
// the same document and, where Yjs is deterministic, with the same bytes.
//
// # Model
//
// Every element ever inserted has an [ID]: the client that made it and a clock
// that counts that client's elements from 0 without a hole. Text counts in
// UTF-16 code units, as JavaScript does. Consecutive elements of one client are
// kept as one run. A run remembers its origin and right origin, the neighbours
// it was typed between; the YATA rule in integrate.go turns those into one
// order on all replicas. Deleting leaves the clocks in place and drops the
// content. A [StateVector] says which clocks a replica has, a delete set which
// of them are deleted.
//
// # Bytes
//
// An update is a list of structs per client, then a delete set. Version 1 is a
// plain concatenation and what peers send; version 2 stores the same in
// run-length columns. Layouts are at the functions that read them (block.go,
// columns.go). [MergeUpdates], [DiffUpdate] and [EncodeStateVectorFromUpdate]
// work on version 1 bytes in time linear in their input and never build a
// document.
//
// Decoders treat every input as hostile: what they allocate stays within 8 times
// the input and 1 MB, nesting is limited, and a refusal is a
// [*MalformedError] that names the byte. An update is validated whole before
// the document changes, so a refused one changes nothing.
//
// Values are passed on byte for byte. Yjs reads them and writes them anew, so that
// bytes are Yjs's for whatever Yjs writes, and the values are the same for all else.
//
// # Edits
//
// [Doc.Transact] makes local edits in the name of a client and returns them as
// one update, with the bytes Yjs emits. Methods that edit take the open [Txn];
// new types come from [NewText] and its like. [Doc.LastChange] says what the last
// transaction, local or not, inserted, deleted and formatted; [Doc.Lost] which
// text an update removed that its author had not seen, [Doc.Copies] which it
// moved. A [Snapshot] names a
// state to read again with [Doc.At]; a [RelativePosition] is a place that stays.
//
// # Rules of this package
//
// It is pure (I12): standard library only, no goroutine, clock, randomness or
// I/O. A Doc has no lock; one goroutine owns it.
//
// Unlike a Yjs client, a Doc never deletes redundant formatting marks after a
// remote change. Those clean-ups are edits, and an edit needs an author (I3).
package crdt
