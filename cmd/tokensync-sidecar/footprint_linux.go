package main

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// giveBack lets go of those pages of the binary that only the start needed. The packages
// that a source or a sink takes set themselves up whether they are used or not, and the
// kernel maps what is around each byte that is touched: that is half of what the process
// would keep resident for good. The pages are clean, and what is needed again comes back
// from the file. Where it does not work nothing is lost but memory.
func giveBack() {
	binary, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return
	}
	for line := range strings.Lines(string(maps)) {
		if start, length, ok := untouched(line, binary); ok {
			_, _, _ = unix.Syscall(unix.SYS_MADVISE, start, length, unix.MADV_DONTNEED)
		}
	}
}

// untouched reads a line of /proc/self/maps: where a part of the binary is mapped that
// nothing can have written to. See proc_pid_maps(5).
func untouched(line, binary string) (start, length uintptr, ok bool) {
	const permissions, path = 1, 5
	fields := strings.Fields(line)
	if len(fields) != path+1 || fields[path] != binary || !strings.HasPrefix(fields[permissions], "r-") {
		return 0, 0, false
	}
	from, to, _ := strings.Cut(fields[0], "-")
	first, err := strconv.ParseUint(from, 16, strconv.IntSize)
	if err != nil {
		return 0, 0, false
	}
	end, err := strconv.ParseUint(to, 16, strconv.IntSize)
	if err != nil || end <= first {
		return 0, 0, false
	}
	return uintptr(first), uintptr(end - first), true
}
