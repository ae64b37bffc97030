package main

import (
	"slices"
	"testing"
)

func TestWhatOfTheBinaryIsGivenBack(t *testing.T) {
	t.Parallel()
	const smaps = `00400000-00f83000 r-xp 00000000 fe:00 1234                               /tokensync-sidecar
Size:              11788 kB
Private_Dirty:         0 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me
00f83000-01bdd000 r--p 00b83000 fe:00 1234                               /tokensync-sidecar
Anonymous:             0 kB
01bdd000-01be0000 r--p 017dd000 fe:00 1234                               /tokensync-sidecar
Anonymous:            12 kB
01be0000-01c78000 rw-p 017e0000 fe:00 1234                               /tokensync-sidecar
Anonymous:             0 kB
01c78000-01c79000 r--p 00000000 fe:00 99                                 /lib/libc.so
Anonymous:             0 kB
7ffe0000-7ffe1000 r--p 00000000 00:00 0                                  [vvar]
Anonymous:             0 kB
7fff0000-7fff1000 r--p 00000000 00:00 0
Anonymous:             0 kB
x-y r--p 00000000 fe:00 1234                                             /tokensync-sidecar
Anonymous:             0 kB
`
	want := []mapping{{0x400000, 0xb83000}, {0xf83000, 0xc5a000}}
	if got := untouched(smaps, "/tokensync-sidecar"); !slices.Equal(got, want) {
		t.Errorf("got %#x, want %#x", got, want)
	}
}

// TestTheProcessGoesOn after it has given back what it may need again.
func TestTheProcessGoesOn(t *testing.T) {
	t.Parallel()
	giveBack()
	if got := untouched("", ""); got != nil {
		t.Errorf("got %v", got)
	}
}
