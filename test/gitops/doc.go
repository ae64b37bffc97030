// Package gitops holds what the tools that apply manifests make of the objects of
// tokensync: kstatus, by which Flux and Helm wait, the expressions for Flux that the
// documentation shows, the health script for Argo CD, and kubectl wait.
//
// They judge what the operator, as a process of its own, has written to a real API
// server. The table in docs/gitops.md is held to the same judgments.
package gitops
