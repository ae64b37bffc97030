// Package notify tells the app that its files are new: by a signal to its process, by a
// request to its HTTP hook, or by both, each for itself.
//
// Nothing is queued, the latest change wins. Whoever was told of a change while another
// one came is told again, and one that could not be told is tried again, with growing
// distance, until that works or a newer change takes its place.
//
// A process that has started after the change gets no signal: whatever it read was new,
// and a signal that meets a program before it has a handler for it ends the program. So a
// change may be told before the app is there.
//
// Signals exist on Linux only.
package notify
