//go:build !race && !crdtcheck

package crdt

const checking = false
