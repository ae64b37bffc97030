package cli

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/tokensync/tokensync/internal/redact"
)

// Color is a color of a terminal, as its escape sequence has it.
type Color string

// The colors.
const (
	Plain  Color = ""
	Bold   Color = "1"
	Dim    Color = "2"
	Red    Color = "31"
	Green  Color = "32"
	Yellow Color = "33"
	Cyan   Color = "36"
)

// Paint colors a text, where the terminal may be colored.
func (t Terminal) Paint(color Color, text string) string {
	if !t.Color || color == Plain || text == "" {
		return text
	}
	return "\x1b[" + string(color) + "m" + text + "\x1b[0m"
}

// Pad fills a text with spaces to a width, counting what is seen.
func Pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
}

// Printable makes a text fit for a terminal, whoever wrote it: words without control
// characters, single spaces between them. Other than redact.Message it does not cut.
func Printable(text string) string {
	var words []string
	for word := range strings.FieldsSeq(text) {
		if word = redact.Message(word); word != "" {
			words = append(words, word)
		}
	}
	return strings.Join(words, " ")
}

// Wrap breaks a text between words into lines of so many characters, as far as words
// let it. A width of 0 or less makes one line.
func Wrap(text string, width int) []string {
	var lines []string
	line, length := "", 0
	for word := range strings.FieldsSeq(text) {
		size := utf8.RuneCountInString(word)
		if length > 0 && width > 0 && length+1+size > width {
			lines = append(lines, line)
			line, length = "", 0
		}
		if length > 0 {
			line, length = line+" ", length+1
		}
		line, length = line+word, length+size
	}
	if length > 0 {
		lines = append(lines, line)
	}
	return lines
}

// Duration writes a duration as people say it, such as 12m or 5d3h.
func Duration(d time.Duration) string { return duration.HumanDuration(d) }

// When says how far an instant is from now: in 12m, or 12m ago.
func When(at, now time.Time) string {
	switch d := at.Sub(now); {
	case d >= time.Second:
		return "in " + Duration(d)
	case d > -time.Second:
		return "now"
	default:
		return Duration(-d) + " ago"
	}
}

// Count writes a number of things, of which there may be one.
func Count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
