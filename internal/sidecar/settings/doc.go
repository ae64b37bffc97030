// Package settings reads the settings of the sidecar: flags, and for each of them an
// environment variable, --output-dir being TOKENSYNC_OUTPUT_DIR. A flag wins over its
// variable, and whatever is wrong is an error that names the flag or the variable that it
// came from: nothing is passed over that could be a typo.
//
// Nothing in here reads the environment by itself.
package settings
