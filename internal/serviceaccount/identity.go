package serviceaccount

import (
	"slices"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/serviceaccount/claims"
)

// Identity is what the operator's own token says.
// Its issuer and its audiences are those of the cluster.
type Identity claims.Claims

// ReadIdentity reads the operator's own token; empty where that is no JWT. The
// signature is not looked at: the token comes from the kubelet.
func ReadIdentity(token string) Identity {
	found, _ := claims.Read(token)
	return Identity(found)
}

// check refuses the operator's own ServiceAccount and the cluster's own audiences.
func (own Identity) check(namespace string, ref v1alpha1.ServiceAccountToken) error {
	switch {
	case own.Subject == "system:serviceaccount:"+namespace+":"+ref.Name:
		return refuse("the ServiceAccount %q is tokensync's own: use another", ref.Name)
	case ref.Audience == own.Issuer, slices.Contains(own.Audiences, ref.Audience):
		return refuseAudience(ref)
	}
	return nil
}
