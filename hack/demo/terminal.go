package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"unsafe"
)

// terminal writes to standard output: in place where that is a terminal, line by
// line elsewhere.
type terminal struct {
	file *os.File
	// live says that the output is a terminal, color that it may be colored.
	live, color bool
	// drawn is how many lines the last picture had.
	drawn int
}

func newTerminal(file *os.File) *terminal {
	_, _, ok := size(file)
	live := ok && os.Getenv("TERM") != "dumb"
	return &terminal{file: file, live: live, color: live && os.Getenv("NO_COLOR") == ""}
}

// linef writes a line that stays.
func (t *terminal) linef(format string, arguments ...any) {
	t.write(fmt.Sprintf(format, arguments...) + "\n")
}

// pendingf writes a line that settlef replaces, on a terminal only.
func (t *terminal) pendingf(format string, arguments ...any) {
	if t.live {
		t.write(fmt.Sprintf(format, arguments...) + "\r")
	}
}

// settlef writes a line over a pending one.
func (t *terminal) settlef(format string, arguments ...any) {
	if t.live {
		t.write("\x1b[2K")
	}
	t.linef(format, arguments...)
}

// write writes. Output that cannot be written has nobody who reads it: a terminal
// that is gone sends a signal of its own.
func (t *terminal) write(text string) {
	_, _ = t.file.WriteString(text)
}

// draw draws a picture over the one before. What does not fit is left out, from
// the end.
func (t *terminal) draw(lines []string) {
	columns, rows, ok := size(t.file)
	if !ok {
		columns, rows = 80, 24
	}
	if len(lines) >= rows {
		lines = lines[:max(rows-1, 1)]
	}
	var picture strings.Builder
	picture.WriteString("\x1b[?25l") // hide the cursor
	if t.drawn > 0 {
		fmt.Fprintf(&picture, "\x1b[%dA\r", t.drawn)
	}
	for _, line := range lines {
		picture.WriteString(clip(line, columns) + "\x1b[K\n")
	}
	picture.WriteString("\x1b[J") // what the last picture had below
	t.drawn = len(lines)
	t.write(picture.String())
}

// restore makes the terminal as it was.
func (t *terminal) restore() {
	if t.live {
		t.write("\x1b[0m\x1b[?25h")
	}
}

// clip cuts a line to so many columns, not counting color codes.
func clip(line string, columns int) string {
	width, escape := 0, false
	for at, r := range line {
		switch {
		case r == '\x1b':
			escape = true
		case escape:
			escape = r != 'm'
		case width == columns:
			return line[:at] + "\x1b[0m"
		default:
			width++
		}
	}
	return line
}

// size asks the system how big the terminal is; ok is false where it is none.
func size(file *os.File) (columns, rows int, ok bool) {
	var window struct{ rows, columns, x, y uint16 }
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, file.Fd(), syscall.TIOCGWINSZ, uintptr(unsafe.Pointer(&window)))
	if errno != 0 {
		return 0, 0, false
	}
	if window.rows == 0 || window.columns == 0 {
		return 80, 24, true
	}
	return int(window.columns), int(window.rows), true
}
