//go:build unix && !linux

package main

import "syscall"

// behind is by how much this process comes after others that want the processor: those that somebody waits for.
const behind = 15

// stepBack has this process come after others.
func stepBack() {
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, behind) // who may not is only faster
}
