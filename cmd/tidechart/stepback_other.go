//go:build !linux

package main

import "syscall"

// behind is by how much this process comes after others that want the processor.
const behind = 15

func stepBack() {
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, behind) // what may not is only in the way
}
