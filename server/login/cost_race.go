//go:build race

package login

// argonMemory is next to nothing where the race detector is on, which is for tests: it keeps four times as much beside, made anew for each hash,
// and that took most of the time of tests that sign people in. Hashes of a program without it are not accepted, nor the other way round.
const argonMemory = 256
