// Package plugin holds the specs of the kubectl plugin: run as kubectl runs it, against a
// real API server, with a real operator and stand-in providers.
package plugin
