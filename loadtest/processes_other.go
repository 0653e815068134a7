//go:build !linux

package loadtest

import "time"

func readUsages([]int) (usages, error) { return usages{at: time.Now()}, ErrNoProcesses }

func serverProcesses([]int) ([]int, error) { return nil, ErrNoProcesses }

func resident(int) (int64, error) { return 0, ErrNoProcesses }

// ownCPU is not known here.
func ownCPU() time.Duration { return 0 }
