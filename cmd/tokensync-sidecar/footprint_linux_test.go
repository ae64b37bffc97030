package main

import "testing"

func TestWhatOfTheBinaryIsGivenBack(t *testing.T) {
	t.Parallel()
	const binary = "/tokensync-sidecar"
	for line, want := range map[string]uintptr{
		"00400000-00f83000 r-xp 00000000 fe:00 1234 /tokensync-sidecar": 0xb83000,
		"00f83000-01bdd000 r--p 00b83000 fe:00 1234 /tokensync-sidecar": 0xc5a000,
		"01bdd000-01c78000 rw-p 017dd000 fe:00 1234 /tokensync-sidecar": 0, // What was written there is nowhere else.
		"01bdd000-01c78000 r--p 017dd000 fe:00 1234 /lib/libc.so":       0,
		"7ffe0000-7ffe1000 r--p 00000000 00:00 0 [vvar]":                0,
		"7fff0000-7fff1000 r--p 00000000 00:00 0":                       0,
		"x-y r--p 00000000 fe:00 1234 /tokensync-sidecar":               0,
		"": 0,
	} {
		if _, length, ok := untouched(line, binary); length != want || ok != (want > 0) {
			t.Errorf("%q: %#x, %t", line, length, ok)
		}
	}
}

// TestTheProcessGoesOn after it has given back what it may need again.
func TestTheProcessGoesOn(t *testing.T) {
	t.Parallel()
	giveBack()
	if _, _, ok := untouched("", ""); ok {
		t.Error("nothing is something")
	}
}
