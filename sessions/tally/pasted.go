package tally

import "github.com/clisonix/tidechart/crdt"

// atOnce is how many UTF-16 units one edit may bring, and have been typed: what an editor completes for somebody has some twenty.
const atOnce = 32

// pasted says what counts as pasted, and nothing else does.
func pasted(brought crdt.Amount) bool { return brought.Units > atOnce }
