//go:build !linux || !(amd64 || arm64)

package server

import "syscall"

// sendNow writes what the socket takes at once. Go's sockets do not block.
func sendNow(fd uintptr, p []byte) (int, error) { return syscall.Write(int(fd), p) }
