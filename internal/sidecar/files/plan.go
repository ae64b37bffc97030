package files

import (
	"fmt"
	"maps"
	"slices"
)

// listing is what there is in the directory.
type listing struct {
	// entries are all names in it. The value is where a symlink leads, and empty for
	// anything else.
	entries map[string]string
	// current is the generation to which ..data leads, zero for none.
	current generation
	// intact tells whether that one holds what is wanted, no more and no less, and loose
	// are those in it that do not have the mode and the group that they should.
	intact bool
	loose  []string
}

// action is one thing to do. Whatever happens between two of them, readers see a whole
// set.
type action int

const (
	// remove removes what an interrupted run has left, or what is kept no longer.
	remove action = iota
	// create makes the directory of a new generation, fill writes one key into it, and
	// seal gives it its mode and its group.
	create
	fill
	seal
	// point makes the symlink to the new generation, and swap gives it the name that
	// readers know.
	point
	swap
	// link and unlink make and remove what readers see of a key.
	link
	unlink
	// repair gives a file of the current generation its mode and its group.
	repair
	// persist syncs the directory.
	persist
)

// step is an action on one name: that of an entry, or of a key.
type step struct {
	do   action
	name string
}

// decide says what is to be done so that a directory holds the keys and nothing more of
// ours. fresh is the generation to write where another one is needed. The error names what
// is in the way and is not ours.
func decide(have listing, keys []string, fresh generation) ([]step, error) {
	for _, key := range keys {
		if target, there := have.entries[key]; there && target != linkTo(key) {
			return nil, fmt.Errorf("%s is there and is no link of tokensync: remove it, or write to a directory of its own", key)
		}
	}
	var steps []step
	add := func(do action, names ...string) {
		for _, name := range names {
			steps = append(steps, step{do, name})
		}
	}
	add(remove, have.leftovers()...)
	if have.intact {
		add(repair, have.loose...)
	} else {
		add(create, fresh.String())
		add(fill, keys...)
		add(seal, fresh.String())
		add(point, dataNext)
		add(swap, dataLink)
		add(persist, ".")
	}
	// Only after the swap, as the kubelet does it: a link that is there leads to a file, but
	// for the instant in which a key goes.
	missing, gone := have.links(keys)
	add(link, missing...)
	add(unlink, gone...)
	if len(missing)+len(gone) > 0 {
		add(persist, ".")
	}
	if !have.intact {
		add(remove, have.generations(have.current.before)...)
	}
	return steps, nil
}

// leftovers are what an interrupted run has left: all that is ours, but for the current
// generation and the one before it.
func (l listing) leftovers() []string {
	var left []string
	for _, name := range slices.Sorted(maps.Keys(l.entries)) {
		g, ours := parseGeneration(name)
		if name == dataNext || ours && g.id != l.current.id && g.id != l.current.before {
			left = append(left, name)
		}
	}
	return left
}

// generations are those of an id.
func (l listing) generations(id string) []string {
	var named []string
	for _, name := range slices.Sorted(maps.Keys(l.entries)) {
		if g, ours := parseGeneration(name); ours && g.id == id {
			named = append(named, name)
		}
	}
	return named
}

// links compares the links of ours that there are with those that there should be.
func (l listing) links(keys []string) (missing, gone []string) {
	for _, key := range keys {
		if _, there := l.entries[key]; !there {
			missing = append(missing, key)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.entries)) {
		if l.entries[name] == linkTo(name) && !slices.Contains(keys, name) {
			gone = append(gone, name)
		}
	}
	return missing, gone
}

// linkTo is where the link of a key leads.
func linkTo(key string) string { return dataLink + "/" + key }
