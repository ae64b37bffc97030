package engine

import (
	"context"
	"fmt"
	"strings"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/internal/resolve"
	"github.com/tokensync/tokensync/internal/serviceaccount/claims"
	"github.com/tokensync/tokensync/internal/sidecar/volume"
)

// maxToken is the most bytes that a projected token may have.
const maxToken = 64 << 10

// ServiceAccountToken implements resolve.Reader. The token is that which the kubelet keeps
// in a file, read anew each time: it is replaced long before it expires.
func (o *objects) ServiceAccountToken(_ context.Context, _ string, ref v1alpha1.ServiceAccountToken) (redact.String, error) {
	if o.tokenFile == "" {
		return redact.String{}, refuse("the credential asks for a token of the ServiceAccount %q for the audience %q: project one into the pod, "+
			"and name its file with --service-account-token", ref.Name, ref.Audience)
	}
	content, err := volume.File(o.tokenFile, maxToken)
	if err != nil {
		return redact.String{}, refuse("the token of the ServiceAccount %q for the audience %q cannot be had: %s", ref.Name, ref.Audience, err)
	}
	token := strings.TrimSpace(string(content))
	if err := checkToken(token, ref, o.tokenFile); err != nil {
		return redact.String{}, err
	}
	return redact.New(token), nil
}

// checkToken refuses a token that is for somebody else than the spec says. Its signature is
// not looked at: it comes from the kubelet, and the provider looks at it.
func checkToken(token string, ref v1alpha1.ServiceAccountToken, file string) error {
	found, ok := claims.Read(token)
	_, name, isAccount := found.Account()
	switch {
	case !ok:
		return refuse("%s holds no token of a ServiceAccount: project one into the pod for the audience %q, and name its file "+
			"with --service-account-token", file, ref.Audience)
	case len(found.Audiences) != 1 || found.Audiences[0] != ref.Audience:
		return refuse("the token in %s is for the audience %q, and the spec asks for %q: set audience: %s in the serviceAccountToken of the "+
			"projected volume", file, redact.Message(strings.Join(found.Audiences, ", ")), ref.Audience, ref.Audience)
	case found.Issuer == ref.Audience:
		// The issuer is the API server's audience, unless it was given others.
		return refuse("the audience %q is the cluster's own, and a token for it would speak to the API server: use the audience that the "+
			"provider expects", ref.Audience)
	case isAccount && name != ref.Name:
		return refuse("the token in %s is one of the ServiceAccount %q, and the spec names %q: set serviceAccountName: %s in the pod, "+
			"or correct the spec", file, redact.Message(name), ref.Name, ref.Name)
	}
	return nil
}

func refuse(format string, arguments ...any) error {
	return resolve.NewSpecError(v1alpha1.ReasonServiceAccountRefused, fmt.Sprintf(format, arguments...))
}
