package main

import (
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// stepBack has this process run only when no other wants the processor; with SCHED_IDLE, because to the kernel a processor
// that runs such a thread is free: whoever wakes goes there at once. One with a thread that is only nice (nice(2)) counts as busy, and
// a keystroke then waits behind another that somebody is waiting for. The policy is each thread's own, and goes on to those that it starts (sched(7)).
func stepBack() {
	threads, _ := filepath.Glob("/proc/self/task/*")
	for _, t := range append(threads, "0") {
		if id, err := strconv.Atoi(filepath.Base(t)); err == nil {
			_ = unix.SchedSetAttr(id, &unix.SchedAttr{Policy: unix.SCHED_IDLE}, 0) // where it is not allowed the work is only more in the way
		}
	}
}
