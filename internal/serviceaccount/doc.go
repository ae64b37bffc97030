// Package serviceaccount asks the cluster for tokens of ServiceAccounts, which
// credentials present to their providers in place of a secret.
//
// Such a token speaks for a workload to everybody who trusts the cluster. So a
// ServiceAccount has to consent, by an annotation that lists the audiences; the
// audiences of the cluster itself are refused, with which a provider could turn
// around and talk to the API server; and so is the operator's own ServiceAccount.
package serviceaccount
