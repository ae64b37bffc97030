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
// would keep resident for good. What is needed again comes back from the file. Where it
// does not work nothing is lost but memory.
func giveBack() {
	binary, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return
	}
	for _, m := range untouched(string(maps), binary) {
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, m.start, m.length, unix.MADV_DONTNEED)
	}
}

// mapping is a part of the memory of the process.
type mapping struct{ start, length uintptr }

// untouched reads /proc/self/smaps: where parts of the binary are mapped that are as they
// are in the file. What a loader has changed, as it does in a binary that may lie anywhere,
// is anonymous memory, and in no file. See proc_pid_smaps(5).
func untouched(smaps, binary string) []mapping {
	const permissions, path = 1, 5
	var (
		found   []mapping
		current mapping
		ours    bool
	)
	for line := range strings.Lines(smaps) {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0:
		case fields[0] == "Anonymous:":
			if ours && len(fields) > 1 && fields[1] == "0" {
				found = append(found, current)
			}
			ours = false
		case !strings.HasSuffix(fields[0], ":"): // A new mapping.
			current, ours = parseRange(fields[0])
			ours = ours && len(fields) == path+1 && fields[path] == binary && strings.HasPrefix(fields[permissions], "r-")
		}
	}
	return found
}

// parseRange reads a range of addresses such as 00400000-00f83000.
func parseRange(text string) (mapping, bool) {
	from, to, _ := strings.Cut(text, "-")
	start, err := strconv.ParseUint(from, 16, strconv.IntSize)
	if err != nil {
		return mapping{}, false
	}
	end, err := strconv.ParseUint(to, 16, strconv.IntSize)
	return mapping{uintptr(start), uintptr(end - start)}, err == nil && end > start
}
