package chart_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// valuesBlock is a file of values in a page: a YAML block that begins with the image.
var valuesBlock = regexp.MustCompile("(?s)```yaml\n(image:\n.*?)```")

// The chart takes the files of values that the documentation shows.
func TestDocumentedValues(t *testing.T) {
	for _, page := range []string{"install.md", "hardening.md"} {
		t.Run(page, func(t *testing.T) {
			blocks := valuesBlock.FindAllStringSubmatch(read(t, "docs", page), -1)
			if len(blocks) == 0 {
				t.Fatal("the page shows no values")
			}
			for _, block := range blocks {
				file := filepath.Join(t.TempDir(), "values.yaml")
				if err := os.WriteFile(file, []byte(block[1]), 0o600); err != nil {
					t.Fatal(err)
				}
				if len(render(t, "tokensync-system", "--values", file)) == 0 {
					t.Error("nothing is rendered of", block[1])
				}
			}
		})
	}
}
