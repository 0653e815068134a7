//go:build !race

package needs

// Raced says whether the race detector is on: then nothing takes the time or the memory that it takes otherwise.
const Raced = false
