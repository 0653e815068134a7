// Package loadtest puts a load on a Yjs server and judges what comes of it.
//
// Its clients speak y-websocket 3.1 or Hocuspocus as providers do: typists type at a fixed rate, readers read, some
// of them slowly, storms of newcomers join at once. It knows a server from outside only, so that the same load can be
// put on any.
//
// A server is held to this: each keystroke comes to everybody else at the note, and is answered; and at the end each
// replica is the same document, in which every typist's stream is complete, once, in order. For that each typist
// writes text that can be checked (stream.go). Times count from when a keystroke was due (ledger.go), so that a stall
// is charged with every keystroke that it held up.
//
// Clients are cheap, since they share a machine with what they measure: a reader notes which characters came and keeps
// the bytes (replica.go); documents are built when the run is over (verify.go).
package loadtest
