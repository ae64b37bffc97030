package main

import (
	"fmt"
	"os"

	"golang.org/x/term"

	"github.com/tokensync/tokensync/internal/picture"
)

// terminal writes to standard output: in place where that is a terminal, line by
// line elsewhere.
type terminal struct {
	file *os.File
	// live says that the output is a terminal, color that it may be colored.
	live, color bool
	// picture is what was drawn last.
	picture picture.Picture
}

func newTerminal(file *os.File) *terminal {
	live := term.IsTerminal(int(file.Fd())) && os.Getenv("TERM") != "dumb"
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

// draw draws a picture over the one before, without the cursor.
func (t *terminal) draw(lines []string) {
	columns, rows := picture.Size(t.file)
	t.write("\x1b[?25l" + t.picture.Over(lines, columns, rows))
}

// restore makes the terminal as it was.
func (t *terminal) restore() {
	if t.live {
		t.write("\x1b[0m\x1b[?25h")
	}
}
