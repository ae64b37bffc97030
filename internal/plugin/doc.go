// Package plugin is the kubectl plugin `kubectl tokensync`: for the steps that need a
// person, and for looking at what the operator does.
//
//	status   what each credential is up to
//	refresh  ask for a new token now
//	inspect  what is in a Secret, without the token
//	check    carry out a manifest from here, and show each step
//	login    give the consent that a grant needs
//
// Each command is a package of its own; what they share is in package cli.
package plugin
