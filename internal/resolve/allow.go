package resolve

import (
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/redact"
)

// allow tells whether a credential may use a provider that holds a secret as it
// wants to. What it could set beyond what the provider allows would be sent together
// with that secret.
func allow(spec *v1alpha1.OAuthCredentialSpec, provider *Provider) error {
	if field := forbiddenField(spec); field != "" {
		return NewSpecError(v1alpha1.ReasonNotAllowedByProvider, fmt.Sprintf(
			"%s cannot be set with the %s, which holds a client or a secret for its credentials: remove it", field, provider))
	}
	allowed := provider.Spec.Allowed
	if allowed == nil {
		allowed = &v1alpha1.Allowed{}
	}
	grantTypes := allowed.GrantTypes
	if grantTypes == nil {
		grantTypes = []v1alpha1.GrantType{v1alpha1.GrantClientCredentials}
	}
	for _, check := range []error{
		within("scopes", spec.Scopes, allowed.Scopes, provider),
		within("audiences", spec.Audiences, allowed.Audiences, provider),
		within("resources", spec.Resources, allowed.Resources, provider),
		within("grantType", []v1alpha1.GrantType{spec.GrantType}, grantTypes, provider),
		variablesWithin(spec, allowed, provider),
	} {
		if check != nil {
			return check
		}
	}
	return nil
}

// forbiddenField is a field of the spec that is not for such providers, if it has one.
func forbiddenField(spec *v1alpha1.OAuthCredentialSpec) string {
	switch {
	case !equality.Semantic.DeepEqual(spec.Client, v1alpha1.Client{}):
		return "spec.client"
	case len(spec.Request.Headers) > 0 || len(spec.Request.Parameters) > 0:
		return "spec.request"
	case spec.RefreshToken != nil:
		return "spec.refreshToken"
	case spec.AuthorizationCode != nil:
		return "spec.authorizationCode"
	case spec.JWTBearer != nil:
		return "spec.jwtBearer"
	case spec.TokenExchange != nil:
		return "spec.tokenExchange"
	case spec.Password != nil:
		return "spec.password"
	}
	return ""
}

func within[T ~string](field string, wanted, allowed []T, provider *Provider) error {
	for _, value := range wanted {
		if !slices.Contains(allowed, value) {
			return notAllowed("spec."+field, field, string(value), provider)
		}
	}
	return nil
}

func variablesWithin(spec *v1alpha1.OAuthCredentialSpec, allowed *v1alpha1.Allowed, provider *Provider) error {
	variables := variablesOf(spec)
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		if !slices.Contains(allowed.Variables[name], variables[name]) {
			return notAllowed("spec.providerRef.variables."+name, "variables."+name, string(variables[name]), provider)
		}
	}
	return nil
}

func notAllowed(field, list, value string, provider *Provider) error {
	if list == "grantType" {
		list = "grantTypes"
	}
	return NewSpecError(v1alpha1.ReasonNotAllowedByProvider, fmt.Sprintf(
		"%s asks for %q, which the %s does not allow: ask for something else, or have it added to spec.allowed.%s of the provider",
		field, redact.Message(value), provider, list))
}
