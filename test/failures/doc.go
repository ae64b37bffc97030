// Package failures holds the tests of what goes wrong: providers that fail in all
// the ways they have, operators that are killed, and secrets that must not be
// seen. The operator runs as a process of its own, with the race detector, on a
// real API server. Only in the storms, where time is what is measured, it runs
// without the detector, on an API server of their own.
//
// The table of failures is started first and judged last, so that its schedules
// have the time of the whole suite to show that they are kept.
package failures
