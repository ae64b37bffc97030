// Command catalog writes the generated part of docs/catalog.md from the manifests in
// config/catalog and the examples in config/catalog/examples. Run it from the root of
// the repository:
//
//	go run ./hack/catalog
//
// What the page says of a provider stands in its manifest:
//
//	the comment at the top   what it is, and what a credential brings
//	catalog-grants           grant types of the endpoint; `none` where it has none
//	catalog-lifetime         how long its tokens live, where it says so
//	catalog-evidence         verified, reported or memory
//	catalog-notes            what else to know
//	documentation            the URL of the provider's own words
//
// All but the first are annotations under tokensync.dev/.
package main
