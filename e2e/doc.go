// Package e2e tests the real binary with real Postgres, real Chromium and real
// Yjs clients. It has no code of its own, only tests.
//
// Each test is named by what it promises. What is needed and absent fails the
// run with the name of what to install; nothing is skipped. Settings, all by
// environment so that they reach through `go test ./...`:
//
//	TRACES         folder of recorded editing histories; without it the trace
//	               test replays one that it generates
//	E2E_KILLS      how often the server, and then Postgres, is killed (20)
//	E2E_SEED       seed of everything random; printed by the tests that use it
//	E2E_PATIENCE   how long to wait for what must happen (90s)
//	E2E_RACE       builds the binary with the race detector
//	E2E_BINARY     tests this binary and builds none
//	E2E_SHOTS      folder that TestShots writes the README's pictures to
//	CHROMIUM       path of the browser
//
// A failed browser test leaves screenshots in artifacts/.
package e2e
