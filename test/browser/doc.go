// Package browser has a real browser walk through what a person does for a credential:
// `kubectl tokensync login` against the pages of a certified authorization server and
// those of a stand-in for Syncplicity, and the pages on which the code of a device is
// entered; and what else a person may do there.
//
// The plugin runs as a process, and opens its page by what it takes for the program that
// opens pages. The browser is Chromium without a display; hack/browser/install.sh finds
// it, or installs Debian's. It needs the binaries of the control plane, and Node 20 or
// newer; see the packages cluster and oidcprovider.
package browser
