// Package mount is the source that reads a mounted Secret.
//
// The kubelet shows another version of a Secret by renaming the symlink ..data in the
// volume, so the directory is watched and not the files in it, which are links that never
// change. It is read every now and then besides: a watch can be lost, or not be had.
//
// A plain directory of files is read as well. Its files should be replaced by a rename, and
// nothing holds together those that are replaced one after another.
package mount
