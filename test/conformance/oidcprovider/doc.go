// Package oidcprovider runs a real, certified authorization server for tests:
// oidc-provider from npm, as a child process on loopback, for the
// client_credentials grant.
//
// It needs Node 20 or newer with npm. What package-lock.json names is installed
// beside this file by npm ci, once, the first time that a server starts.
//
// The server ends with [Provider.Stop], with the context that started it, or
// with the process that started it, however that ends: it watches its standard
// input.
package oidcprovider
