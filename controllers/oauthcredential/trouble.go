package oauthcredential

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/issuance"
)

// providerTrouble is what is known of a provider that fails.
type providerTrouble struct {
	// last is the last failure, and namespace where it was met; failed are all the
	// credentials that met one.
	last      *issuance.Failure
	namespace string
	failed    map[types.UID]types.NamespacedName
}

// as is the last failure as a namespace may hear of it: what a provider says to one is
// not for others.
func (t *providerTrouble) as(namespace string) *issuance.Failure {
	if t.namespace == namespace {
		return t.last
	}
	return &issuance.Failure{
		Reason:  t.last.Reason,
		Message: "the provider fails for now, and is asked by one request at a time until it answers",
	}
}

// heldUp is why a request will wait for long, nil where it will not. The caller holds
// the lock.
func (e *exchanges) heldUp(r *request) *issuance.Failure {
	if trouble := e.troubles[r.line]; trouble != nil && e.gate.Closed(r.line, r.exchange.credential.Namespace) {
		return trouble.as(r.exchange.credential.Namespace)
	}
	until, held := e.gate.HeldUntil(r.line, r.exchange.credential.Namespace, r.client)
	if !held || r.running {
		return nil
	}
	return &issuance.Failure{
		Reason: v1alpha1.ReasonRateLimited,
		Message: fmt.Sprintf("the provider limits the number of requests, and is asked again after %s",
			until.UTC().Truncate(time.Second).Add(time.Second).Format(time.RFC3339)),
	}
}

// recovered marks the credentials that a provider had failed and that an answer in a
// namespace lets through, and answers who they are. The gate hears of the answer after
// this: what is closed opens then. The caller holds the lock.
func (e *exchanges) recovered(trouble *providerTrouble, line, namespace string) []types.NamespacedName {
	toAll, toThem := e.gate.ClosedToAll(line), e.gate.Closed(line, namespace)
	var woken []types.NamespacedName
	for uid, key := range trouble.failed {
		if !toAll && (!toThem || key.Namespace != namespace) {
			continue
		}
		e.forgetTrouble(line, uid)
		if s := e.byUID[uid]; s != nil {
			s.recovered = true
			woken = append(woken, key)
		}
	}
	return woken
}

// forgetTrouble drops what a credential has met in a line, and with the last one what is
// known of the line. The caller holds the lock.
func (e *exchanges) forgetTrouble(line string, uid types.UID) {
	trouble := e.troubles[line]
	if trouble == nil {
		return
	}
	if delete(trouble.failed, uid); len(trouble.failed) == 0 {
		delete(e.troubles, line)
	}
}
