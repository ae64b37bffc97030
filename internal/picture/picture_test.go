package picture_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tokensync/tokensync/internal/picture"
)

func TestClip(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		line    string
		columns int
		want    string
	}{
		{"", 3, ""},
		{"abc", 3, "abc"},
		{"abcd", 3, "abc\x1b[0m"},
		{"\x1b[31mabc\x1b[0m", 3, "\x1b[31mabc\x1b[0m"},
		{"\x1b[31mab\x1b[0mcd", 3, "\x1b[31mab\x1b[0mc\x1b[0m"},
		{"a━b━", 3, "a━b\x1b[0m"},
		{"short", 10, "short"},
		{"exactly10!", 10, "exactly10!"},
		{"more than ten", 10, "more than \x1b[0m"},
		{"\x1b[31mred\x1b[0m", 10, "\x1b[31mred\x1b[0m"},
		{"━━━━━━━━━━", 10, "━━━━━━━━━━"},
		{"\x1b[2m━━━━━━━━━━━\x1b", 10, "\x1b[2m━━━━━━━━━━\x1b[0m"},
	} {
		if got := picture.Clip(test.line, test.columns); got != test.want {
			t.Errorf("%q at %d: got %q, want %q", test.line, test.columns, got, test.want)
		}
	}
}

func TestOver(t *testing.T) {
	t.Parallel()
	var shown picture.Picture
	for _, step := range []struct {
		name    string
		lines   []string
		columns int
		rows    int
		want    string
	}{
		{"the first", []string{"a", "b"}, 80, 24, "a\x1b[K\nb\x1b[K\n\x1b[J"},
		{"over two lines", []string{"c"}, 80, 24, "\x1b[2A\rc\x1b[K\n\x1b[J"},
		{"over one line", []string{"d", "e", "f"}, 80, 3, "\x1b[1A\rd\x1b[K\ne\x1b[K\n\x1b[J"},
		{"over what fitted", []string{"wide"}, 2, 24, "\x1b[2A\rwi\x1b[0m\x1b[K\n\x1b[J"},
		{"a terminal of one row", []string{"g", "h"}, 80, 1, "\x1b[1A\rg\x1b[K\n\x1b[J"},
	} {
		if got := shown.Over(step.lines, step.columns, step.rows); got != step.want {
			t.Errorf("%s: got %q, want %q", step.name, got, step.want)
		}
	}
}

func TestSizeOfWhatIsNoTerminal(t *testing.T) {
	t.Parallel()
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	if columns, rows := picture.Size(file); columns != 80 || rows != 24 {
		t.Errorf("got %d columns and %d rows", columns, rows)
	}
}
