package picture

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"
)

// Picture is what a terminal shows. The zero value has nothing drawn yet.
type Picture struct {
	// drawn is how many lines the last picture had.
	drawn int
}

// Over is the text that draws lines over the last picture, on a terminal of so many
// columns and rows. What does not fit is left out, from the end. It is written where the
// last one has left the cursor.
func (p *Picture) Over(lines []string, columns, rows int) string {
	if len(lines) >= rows {
		lines = lines[:max(rows-1, 1)]
	}
	var text strings.Builder
	if p.drawn > 0 {
		fmt.Fprintf(&text, "\x1b[%dA\r", p.drawn)
	}
	for _, line := range lines {
		text.WriteString(Clip(line, columns) + "\x1b[K\n")
	}
	text.WriteString("\x1b[J") // What the last picture had below.
	p.drawn = len(lines)
	return text.String()
}

// Clip cuts a line to so many columns, not counting colors.
func Clip(line string, columns int) string {
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

// Size is how many columns and rows a terminal has, 80 and 24 where it does not say.
func Size(terminal *os.File) (columns, rows int) {
	columns, rows, err := term.GetSize(int(terminal.Fd()))
	if err != nil || columns <= 0 || rows <= 0 {
		return 80, 24
	}
	return columns, rows
}
