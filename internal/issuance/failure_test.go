package issuance_test

import (
	"net/http"
	"testing"

	"github.com/tokensync/tokensync/internal/issuance"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/oauth"
)

func TestWhatWasAnsweredWasSent(t *testing.T) {
	t.Parallel()
	refused := issuance.TokenFailure(&oauth.Error{Kind: oauth.KindInvalidRequest, Class: lifetime.Configuration})
	unusable := issuance.TokenFailure(&oauth.Error{Kind: oauth.KindInvalidExpression, Class: lifetime.Configuration, Status: http.StatusOK})
	if refused.Answered || !unusable.Answered {
		t.Errorf("answered: %t without a status, %t with one", refused.Answered, unusable.Answered)
	}
}
