package main

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// stepBack has this process run when nobody else wants the processor. To be nice is not enough: what has begun to run is left to it for
// some milliseconds, whatever its weight, unless it is idle's. The policy is each thread's own, and goes on to those that it starts.
func stepBack() {
	threads, _ := os.ReadDir("/proc/self/task") // none without /proc: then only this thread
	ids := []int{0}
	for _, t := range threads {
		if id, err := strconv.Atoi(t.Name()); err == nil {
			ids = append(ids, id)
		}
	}
	for _, id := range ids {
		_ = unix.SchedSetAttr(id, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_IDLE}, 0) // what may not is only in the way
	}
}
