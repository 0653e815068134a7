package main

import (
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// timerSlack is how much later than asked the kernel may wake the process, so that it wakes it less often. Waiting ends
// by the slack's end; what arrives on a socket is heard at once as before.
const timerSlack = time.Millisecond

// relaxTimers gives the process its slack. The scheduler of Go looks around every 20 us while anything goes on; a server
// whose keystrokes come thousands a second, each for a moment, is woken 50 us after by that alone, which takes a
// twentieth of its processor time. The thread that looks around exists before main, and a thread has the slack of the
// one that made it: so the process begins once more, with the slack set (PR_SET_TIMERSLACK in prctl(2); execve(2) keeps
// it). If that cannot be, it goes on as it is.
func relaxTimers() {
	if has, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0); err != nil || has >= int(timerSlack) {
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(timerSlack), 0, 0, 0) != nil {
		return
	}
	_ = syscall.Exec("/proc/self/exe", os.Args, os.Environ())
}
