package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const (
	manifests = "config/catalog"
	page      = "docs/catalog.md"

	begin = "<!-- catalog: begin -->\n"
	end   = "<!-- catalog: end -->"
)

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "catalog:", err)
		os.Exit(1)
	}
}

// run writes the page, where root is the root of the repository.
func run(root string) error {
	entries, err := read(filepath.Join(root, manifests))
	if err != nil {
		return err
	}
	path := filepath.Join(root, page)
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	written, err := replace(string(content), render(entries))
	if err != nil || written == string(content) {
		return err
	}
	return os.WriteFile(path, []byte(written), 0o600)
}

// replace puts the generated part into the page.
func replace(content, generated string) (string, error) {
	head, rest, found := strings.Cut(content, begin)
	_, tail, closed := strings.Cut(rest, end)
	if !found || !closed {
		return "", fmt.Errorf("%s has no place for the catalog: %q and %q, each on a line of its own", page, strings.TrimSpace(begin), end)
	}
	return head + begin + "\n" + generated + "\n" + end + tail, nil
}
