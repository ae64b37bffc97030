package issuance_test

import (
	"context"
	"testing"
	"time"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/gate"
	"github.com/tokensync/tokensync/internal/issuance"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/resolve"
)

// away is an issuer that is asked by somebody who goes away.
type away struct{ leave context.CancelFunc }

func (a away) Metadata(context.Context, oauth.MetadataRequest) (*oauth.Metadata, error) {
	a.leave()
	return nil, oauth.Abandoned(nil)
}

func (away) Forget(oauth.MetadataRequest) {}

// TestWhatIsCutOffSaysNothingOfTheProvider, also where no token was asked for yet.
func TestWhatIsCutOffSaysNothingOfTheProvider(t *testing.T) {
	t.Parallel()
	credential := &v1alpha1.OAuthCredential{}
	credential.Spec.Provider = &v1alpha1.Endpoint{Issuer: "https://issuer.example"}
	credential.Spec.GrantType = v1alpha1.GrantClientCredentials
	credential.Spec.Client = v1alpha1.Client{ID: "app"}
	plan, err := resolve.Join(credential, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, leave := context.WithCancel(t.Context())
	request := issuance.Request{Plan: plan, Resolver: resolve.Resolver{Issuers: away{leave}, Now: func() time.Time { return time.Unix(1, 0) }}}
	o := &issuance.Outcome{}
	request.Ask(ctx, o, func() {})
	if !o.Abandoned || o.Result().Outcome != gate.Cut {
		t.Errorf("the outcome is %+v, and to the gate %v", o, o.Result())
	}
}
