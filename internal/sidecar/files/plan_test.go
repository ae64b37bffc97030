package files

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

var actionNames = map[action]string{
	remove: "remove", create: "create", fill: "fill", seal: "seal", point: "point", swap: "swap",
	link: "link", unlink: "unlink", repair: "repair", persist: "persist",
}

func (s step) String() string { return actionNames[s.do] + " " + s.name }

// nth is a generation with a number, after the one with the number before.
func nth(n int) generation {
	return generation{made: "2026_11_22_13_00_00", id: fmt.Sprintf("%016x", n), before: fmt.Sprintf("%016x", n-1)}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	whole := []string{"create N", "fill a", "fill b", "seal N", "point ..data_tmp", "swap ..data", "persist ."}
	then := func(steps ...string) []string { return append(slices.Clone(whole), steps...) }
	both := []string{"a", "b"}
	for name, c := range map[string]struct {
		entries map[string]string
		current int
		intact  bool
		loose   []string
		keys    []string
		want    []string
		err     string
	}{
		"an empty directory": {keys: both, want: then("link a", "link b", "persist .")},
		"the second set": {
			entries: map[string]string{"..data": "1", "1": "", "a": "..data/a", "b": "..data/b"},
			current: 1, keys: both, want: whole,
		},
		"the one before the last goes after the swap": {
			entries: map[string]string{"..data": "3", "3": "", "2": "", "a": "..data/a", "b": "..data/b"},
			current: 3, keys: both, want: then("remove 2"),
		},
		"nothing to do": {
			entries: map[string]string{"..data": "3", "3": "", "2": "", "a": "..data/a", "b": "..data/b"},
			current: 3, intact: true, keys: both,
		},
		"mode and group": {
			entries: map[string]string{"..data": "3", "3": "", "a": "..data/a", "b": "..data/b"},
			current: 3, intact: true, loose: []string{"a", "."}, keys: both, want: []string{"repair a", "repair ."},
		},
		"a new set needs no repair": {
			entries: map[string]string{"..data": "1", "1": "", "a": "..data/a", "b": "..data/b"},
			current: 1, loose: []string{"a"}, keys: both, want: whole,
		},
		"killed before the links": {
			entries: map[string]string{"..data": "3", "3": "", "2": "", "a": "..data/a"},
			current: 3, intact: true, keys: both, want: []string{"link b", "persist ."},
		},
		"killed before the swap": {
			entries: map[string]string{"..data": "3", "3": "", "2": "", "4": "", "..data_tmp": "4", "a": "..data/a", "b": "..data/b"},
			current: 3, keys: both, want: append([]string{"remove 4", "remove ..data_tmp"}, then("remove 2")...),
		},
		"killed after the swap": {
			entries: map[string]string{"..data": "4", "3": "", "2": "", "4": "", "a": "..data/a", "b": "..data/b"},
			current: 4, intact: true, keys: both, want: []string{"remove 2"},
		},
		"killed at the first swap": {
			entries: map[string]string{"1": "", "..data_tmp": "1"},
			keys:    both, want: append([]string{"remove 1", "remove ..data_tmp"}, then("link a", "link b", "persist .")...),
		},
		"the generation is gone": {
			entries: map[string]string{"..data": "3", "a": "..data/a", "b": "..data/b"},
			current: 3, keys: both, want: whole,
		},
		"keys come and go after the swap": {
			entries: map[string]string{"..data": "1", "1": "", "a": "..data/a", "z": "..data/z"},
			current: 1, keys: both, want: then("link b", "unlink z", "persist ."),
		},
		"what is not ours stays": {
			entries: map[string]string{"..data": "1", "1": "", "a": "..data/a", "b": "..data/b", "z": "", "y": "..data/z", "x": "/etc", "..x": ""},
			current: 1, keys: both, want: whole,
		},
		"a file in the way":        {entries: map[string]string{"b": ""}, keys: both, err: "b is there"},
		"another link in the way":  {entries: map[string]string{"b": "..data/a"}, keys: both, err: "b is there"},
		"in the way at a restart":  {entries: map[string]string{"b": "/etc"}, current: 1, intact: true, keys: both, err: "b is there"},
		"a foreign file elsewhere": {entries: map[string]string{"c": ""}, keys: both, want: then("link a", "link b", "persist .")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			have := listing{entries: map[string]string{}, intact: c.intact, loose: c.loose}
			full := func(name string) string {
				var n int
				if _, err := fmt.Sscanf(name, "%d", &n); err != nil {
					return name
				}
				return nth(n).String()
			}
			for name, target := range c.entries {
				have.entries[full(name)] = full(target)
			}
			if c.current > 0 {
				have.current = nth(c.current)
			}
			fresh := nth(9)
			steps, err := decide(have, c.keys, fresh)
			if (err != nil) != (c.err != "") || err != nil && !strings.HasPrefix(err.Error(), c.err) {
				t.Fatalf("the error is %v, want %q", err, c.err)
			}
			var got []string
			for _, s := range steps {
				text := strings.ReplaceAll(s.String(), fresh.String(), "N")
				for n := range 9 {
					text = strings.ReplaceAll(text, nth(n).String(), fmt.Sprint(n))
				}
				got = append(got, text)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("the steps are\n%q, want\n%q", got, c.want)
			}
		})
	}
}
