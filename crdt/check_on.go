//go:build race || crdtcheck

package crdt

// checking makes every transaction verify the whole document.
const checking = true
