//go:build !race

package login

// argonMemory is OWASP's minimum, in KiB.
const argonMemory = 19 << 10
