package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// tree returns a process and all that descend from it.
func tree(pid int) ([]int, error) {
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return nil, fmt.Errorf("process %d: %w", pid, err)
	}
	if len(lists) == 0 {
		return nil, fmt.Errorf("process %d: %w", pid, os.ErrProcessDone)
	}
	pids := []int{pid}
	for _, list := range lists {
		data, err := os.ReadFile(list)
		if err != nil {
			return nil, fmt.Errorf("process %d: %w", pid, err)
		}
		below, err := trees(data)
		if err != nil {
			return nil, err
		}
		pids = append(pids, below...)
	}
	return pids, nil
}

// trees follows a list of children as the kernel writes it.
func trees(list []byte) ([]int, error) {
	var pids []int
	for _, word := range bytes.Fields(list) {
		child, err := strconv.Atoi(string(word))
		if err != nil {
			return nil, fmt.Errorf("children: %w", err)
		}
		below, err := tree(child)
		if err != nil {
			return nil, err
		}
		pids = append(pids, below...)
	}
	return pids, nil
}

// sumOver adds up what measure says of each process of a tree.
func sumOver[N int64 | time.Duration](pid int, measure func(pid int) (N, error)) (N, error) {
	pids, err := tree(pid)
	if err != nil {
		return 0, err
	}
	var sum N
	for _, one := range pids {
		n, err := measure(one)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// processorTime returns the processor time, user and system, that a process has used,
// with its threads that have ended. It reads the CPU clock of the process: that
// counts nanoseconds up to this moment, where /proc/PID/stat has 10 ms and
// /proc/PID/schedstat knows one thread, and of a running one only what was at the last tick.
func processorTime(pid int) (time.Duration, error) {
	const scheduled = 2 // CPUCLOCK_SCHED of the kernel's posix-timers.h
	var used unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|scheduled), &used); err != nil {
		return 0, fmt.Errorf("processor time of process %d: %w", pid, err)
	}
	return time.Duration(used.Nano()), nil
}

// residentBytes returns the memory of a process that is in RAM. It reads
// smaps_rollup, which walks the pages, where statm may be off by some hundred kB.
func residentBytes(pid int) (int64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, fmt.Errorf("memory: %w", err)
	}
	n, err := parseRollup(data)
	if err != nil {
		return 0, fmt.Errorf("memory of process %d: %w", pid, err)
	}
	return n, nil
}

// parseRollup finds the line "Rss:   1234 kB" in a smaps_rollup.
func parseRollup(data []byte) (int64, error) {
	for line := range bytes.Lines(data) {
		words := bytes.Fields(line)
		if len(words) != 3 || string(words[0]) != "Rss:" || string(words[2]) != "kB" {
			continue
		}
		n, err := strconv.ParseUint(string(words[1]), 10, 50)
		if err != nil {
			return 0, fmt.Errorf("smaps_rollup: %w", err)
		}
		return int64(n) << 10, nil
	}
	return 0, fmt.Errorf("smaps_rollup: no Rss in it")
}
