package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit in which Linux counts CPU time.
const tick = 10 * time.Millisecond

// cpuOf is the CPU time that a process has used.
func cpuOf(pid int) time.Duration {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(content), ") ")
	const user, system = 11, 12 // fields, counted from the state
	fields := strings.Fields(rest)
	if len(fields) <= system {
		return 0
	}
	var ticks int64
	for _, field := range []string{fields[user], fields[system]} {
		n, _ := strconv.ParseInt(field, 10, 64) // the kernel writes numbers
		ticks += n
	}
	return time.Duration(ticks) * tick
}

// memoryOf is the resident memory of a process, now (VmRSS) or at most (VmHWM),
// in MiB.
func memoryOf(pid int, field string) float64 {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(content), field+":")
	value, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	kibibytes, _ := strconv.ParseFloat(value, 64) // the kernel writes numbers
	return kibibytes / 1024
}

// machine is how much CPU time has been used, by everything and by what belongs
// to the bench.
type machine struct {
	at            time.Time
	busy, capable time.Duration
	control       time.Duration
	own           time.Duration
}

func (b *bench) readMachine() machine {
	m := machine{at: time.Now(), own: cpuOf(os.Getpid())}
	content, err := os.ReadFile("/proc/stat")
	if err != nil {
		return m
	}
	first, _, _ := strings.Cut(string(content), "\n")
	const idle, wait = 3, 4
	for i, field := range strings.Fields(first)[1:] {
		n, _ := strconv.ParseInt(field, 10, 64) // the kernel writes numbers
		spent := time.Duration(n) * tick
		m.capable += spent
		if i != idle && i != wait {
			m.busy += spent
		}
	}
	for _, pid := range b.cluster.PIDs() {
		m.control += cpuOf(pid)
	}
	return m
}
