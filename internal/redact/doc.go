// Package redact keeps secrets out of text.
//
// It offers two lines of defense. A [String] holds a secret that no formatter,
// encoder or logger prints, so that a secret cannot leak by accident. A
// [Scrubber] removes the secrets it knows from text that comes from somewhere
// else, such as an error description of a server that echoes what it was sent,
// and from JSON at any depth.
//
// [Message] and [URL] make foreign text fit for a condition, an event or a log:
// short, on one line, and without characters that hide or reorder others.
//
// The package is pure and imports nothing but the standard library.
package redact
