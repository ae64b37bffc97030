package files

import (
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"
)

const (
	// dataLink is the symlink to the generation that counts, and dataNext the same before
	// it takes that name. No key begins as they do.
	dataLink = "..data"
	dataNext = "..data_tmp"

	reserved = ".."
	madeAt   = "2006_01_02_15_04_05"
	idSize   = 8 // bytes
)

// generation is what the name of a directory says that holds one set: when it was made,
// what tells it from all others, and the same of the one before it. Because the name says
// which one came before, the swap of ..data at the same instant settles which two are kept:
// a process that is killed leaves no question behind.
type generation struct {
	made, id, before string
}

// String is the name of the directory.
func (g generation) String() string {
	return fmt.Sprintf("%s%s.%s.%s", reserved, g.made, g.id, g.before)
}

// newGeneration names one that follows another, the zero one for none.
func newGeneration(now time.Time, random io.Reader, before generation) (generation, error) {
	id := make([]byte, idSize)
	if _, err := io.ReadFull(random, id); err != nil {
		return generation{}, fmt.Errorf("draw a name: %w", err)
	}
	if before.id == "" {
		before.id = strings.Repeat("0", hex.EncodedLen(idSize))
	}
	return generation{made: now.UTC().Format(madeAt), id: hex.EncodeToString(id), before: before.id}, nil
}

// parseGeneration reads the name of a directory. It answers false for a name that this
// package has not given.
func parseGeneration(name string) (generation, bool) {
	parts := strings.Split(strings.TrimPrefix(name, reserved), ".")
	if len(parts) != 3 {
		return generation{}, false
	}
	g := generation{made: parts[0], id: parts[1], before: parts[2]}
	made, err := time.Parse(madeAt, g.made)
	ours := err == nil && made.Format(madeAt) == g.made && isID(g.id) && isID(g.before)
	return g, ours && g.String() == name
}

func isID(s string) bool {
	id, err := hex.DecodeString(s)
	return err == nil && len(id) == idSize && hex.EncodeToString(id) == s
}

// checkKey tells what is wrong with the name of a key. One that a Secret may have is the
// name of a file, and cannot lead out of the directory.
func checkKey(key string) error {
	if len(validation.IsConfigMapKey(key)) > 0 {
		return fmt.Errorf("%q cannot be the name of a file: a key has at most %d letters, digits, `-`, `_` and `.`, "+
			"and does not begin with `..`", key, validation.DNS1123SubdomainMaxLength)
	}
	return nil
}
