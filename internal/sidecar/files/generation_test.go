package files

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAGenerationNamesTheOneBefore(t *testing.T) {
	t.Parallel()
	random := strings.NewReader("12345678abcdefgh")
	first, err := newGeneration(time.Date(2026, 11, 22, 13, 38, 25, 0, time.FixedZone("", 3600)), random, generation{})
	if err != nil {
		t.Fatal(err)
	}
	if want := "..2026_11_22_12_38_25.3132333435363738.0000000000000000"; first.String() != want {
		t.Errorf("the first is %s, want %s", first, want)
	}
	second, err := newGeneration(time.Date(2026, 11, 22, 13, 0, 0, 0, time.UTC), random, first)
	if err != nil {
		t.Fatal(err)
	}
	if want := "..2026_11_22_13_00_00.6162636465666768.3132333435363738"; second.String() != want {
		t.Errorf("the second is %s, want %s", second, want)
	}
	if _, err := newGeneration(time.Time{}, random, second); err == nil {
		t.Error("a name was drawn from nothing")
	}
}

func TestOnlyNamesOfOursAreGenerations(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"..2026_11_22_12_38_25.3132333435363738.0000000000000000":   true,
		"2026_11_22_12_38_25.3132333435363738.0000000000000000":     false,
		"..2026_11_22_12_38_25.3132333435363738":                    false, // The kubelet's are such.
		"..2026_11_22_12_38_25.3132333435363738.0000000000000000.1": false,
		"..2026_13_22_12_38_25.3132333435363738.0000000000000000":   false,
		"..2026_11_22_12_38_25.31323334353637.0000000000000000":     false,
		"..2026_11_22_12_38_25.3132333435363738.":                   false,
		"..2026_11_22_12_38_25.31323334353637zz.0000000000000000":   false,
		"..2026_11_22_12_38_25.AABBCCDDEEFFAABB.0000000000000000":   false,
		"../../etc/2026_11_22.3132333435363738.0000000000000000":    false,
		"..data": false, "..data_tmp": false, "access_token": false, "": false, "..": false, "...": false,
	} {
		if _, ours := parseGeneration(name); ours != want {
			t.Errorf("%q: ours is %t", name, ours)
		}
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]bool{
		"access_token": true, "tls.crt": true, ".netrc": true, ".": false, "-": true, strings.Repeat("a", 253): true,
		"": false, "..": false, "..data": false, "../x": false, "a/b": false, "/etc/passwd": false, "a b": false, "a\x00b": false,
		"a\nb": false, "ü": false, strings.Repeat("a", 254): false,
	} {
		if err := checkKey(key); (err == nil) != want {
			t.Errorf("%q: %v", key, err)
		}
	}
}

func FuzzAKeyStaysInTheDirectory(f *testing.F) {
	for _, key := range []string{"access_token", "..", ".", "../x", "a/b", "a\x00", "..data", "-rf", "\\", "a\n"} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		if checkKey(key) != nil {
			return
		}
		if filepath.Base(key) != key || !filepath.IsLocal(key) || key == "." || strings.HasPrefix(key, reserved) || len(key) > 255 {
			t.Errorf("%q is taken", key)
		}
	})
}

func FuzzGenerationNames(f *testing.F) {
	f.Add("..2026_11_22_12_38_25.3132333435363738.0000000000000000")
	f.Add("..2026_11_22_12_38_25.313233343536373/.0000000000000000")
	f.Fuzz(func(t *testing.T, name string) {
		g, ours := parseGeneration(name)
		if !ours {
			return
		}
		if g.String() != name || !filepath.IsLocal(name) || filepath.Base(name) != name {
			t.Errorf("%q is taken for %+v", name, g)
		}
		next, err := newGeneration(time.Time{}, bytes.NewReader(make([]byte, idSize)), g)
		if err != nil || next.before != g.id {
			t.Errorf("what follows %q is %v, %v", name, next, err)
		}
	})
}
