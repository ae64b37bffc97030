// Package files keeps a directory in which the keys of a set are files, laid out as the
// kubelet lays out a Secret volume:
//
//	..2026_11_22_13_38_25.8c2f...  a generation: the files of one whole set
//	..data                         a symlink to the generation that counts
//	access_token                   a symlink to ..data/access_token, and so for every key
//
// A new set becomes a new generation, written and synced as a whole, and one rename(2) of
// ..data shows it. Who reads the files sees the old set or the new one, at whatever
// instant this process dies, and never some of each.
//
// The kubelet removes the old generation at once. Here it stays until the next swap: who
// has resolved ..data once, to read keys that belong together, finishes with the set that
// it began with, and need not be faster than the swap. What it costs is room: at a swap
// there are three sets for an instant.
//
// The directory may be shared with the application. Nothing in it that is not the work of
// this package is overwritten or removed, and no symlink in it leads out of it.
package files
