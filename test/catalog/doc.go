// Package catalog replays, for each provider of the catalog, what its documentation
// says that it is sent and answers.
//
// testdata has a file for each provider. The request is made of the manifest in
// config/catalog and the example in config/catalog/examples, by the same code as in
// the operator, and goes to a server on this machine, which checks all of it and
// answers what the file says. In what is expected some words stand for values that
// are made for the test:
//
//	{assertion}    a JWT with the claims under assertion
//	{jwt}          a JWT that expires in ten minutes
//	{jwk}, {rsa-key}, {google-key}, {certificate}, {private-key}    keys
package catalog
