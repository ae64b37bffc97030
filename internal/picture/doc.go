// Package picture makes the text that shows lines on a terminal in place: each picture
// is drawn over the one before. It writes nothing itself.
package picture
