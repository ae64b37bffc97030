package serviceaccount

import (
	"context"
	"fmt"
	"slices"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/internal/resolve"
	"github.com/tokensync/tokensync/internal/serviceaccount/claims"
)

// leastLifetime is the shortest lifetime that Kubernetes grants, in seconds.
const leastLifetime = 600

// Issuer asks for tokens. A new one is made for each request: nothing is kept.
type Issuer struct {
	// Enabled says that the operator has been given the rights that this needs.
	Enabled bool
	// Reader reads ServiceAccounts from the API server.
	Reader client.Reader
	// Tokens creates tokens.
	Tokens client.SubResourceWriter
	// Own is what is known of the operator's own token; empty where it has none.
	Own Identity
}

// Token asks for a token of a ServiceAccount for an audience. An error is a
// *resolve.SpecError where the ServiceAccount, its consent or the audience is at fault.
func (i *Issuer) Token(ctx context.Context, namespace string, ref v1alpha1.ServiceAccountToken) (redact.String, error) {
	if !i.Enabled {
		return redact.String{}, refuse("tokens of ServiceAccounts are not enabled: have an administrator set serviceAccountTokens.enabled " +
			"in the chart, which starts tokensync with --service-account-tokens and gives it the rights")
	}
	if err := i.Own.check(namespace, ref); err != nil {
		return redact.String{}, err
	}
	account := &corev1.ServiceAccount{}
	err := i.Reader.Get(ctx, types.NamespacedName{Namespace: namespace, Name: ref.Name}, account)
	switch {
	case apierrors.IsNotFound(err):
		return redact.String{}, refuse("the ServiceAccount %q does not exist: create it, or correct the reference", ref.Name)
	case apierrors.IsForbidden(err):
		return redact.String{}, refuse("tokensync may not read the ServiceAccount %q: have an administrator grant it the verb get on "+
			"serviceaccounts in this namespace", ref.Name)
	case err != nil:
		return redact.String{}, fmt.Errorf("read the ServiceAccount %q: %w", ref.Name, err)
	case !slices.Contains(consented(account), ref.Audience):
		return redact.String{}, refuse("the ServiceAccount %q does not consent: list the audience %q in its annotation %s",
			ref.Name, ref.Audience, v1alpha1.AnnotationAudiences)
	}
	return i.create(ctx, account, ref)
}

// consented are the audiences that a ServiceAccount consents to.
func consented(account *corev1.ServiceAccount) []string {
	var audiences []string
	for audience := range strings.SplitSeq(account.Annotations[v1alpha1.AnnotationAudiences], ",") {
		if audience = strings.TrimSpace(audience); audience != "" {
			audiences = append(audiences, audience)
		}
	}
	return audiences
}

func (i *Issuer) create(ctx context.Context, account *corev1.ServiceAccount, ref v1alpha1.ServiceAccountToken) (redact.String, error) {
	lifetime := int64(leastLifetime)
	if ref.ExpirationSeconds != nil {
		lifetime = *ref.ExpirationSeconds
	}
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		Audiences:         []string{ref.Audience},
		ExpirationSeconds: &lifetime,
	}}
	err := i.Tokens.Create(ctx, account, request)
	if apierrors.IsForbidden(err) {
		return redact.String{}, refuse("tokensync may not ask for tokens of the ServiceAccount %q: have an administrator grant it "+
			"the verb create on serviceaccounts/token in this namespace", ref.Name)
	}
	if err != nil {
		return redact.String{}, fmt.Errorf("ask for a token of the ServiceAccount %q: %w", ref.Name, err)
	}
	token := request.Status.Token
	found, ok := claims.Read(token)
	switch {
	case !ok || len(found.Audiences) != 1 || found.Audiences[0] != ref.Audience:
		return redact.String{}, refuse("the cluster did not issue a token of the ServiceAccount %q for the audience %q alone, and it is not used",
			ref.Name, ref.Audience)
	case found.Issuer == ref.Audience:
		// The issuer is the API server's audience, unless it was given others.
		return redact.String{}, refuseAudience(ref)
	}
	return redact.New(token), nil
}

func refuse(format string, arguments ...any) error {
	return resolve.NewSpecError(v1alpha1.ReasonServiceAccountRefused, fmt.Sprintf(format, arguments...))
}

func refuseAudience(ref v1alpha1.ServiceAccountToken) error {
	return refuse("the audience %q is the cluster's own, and a token for it would speak to the API server: use the audience that the provider expects",
		ref.Audience)
}
