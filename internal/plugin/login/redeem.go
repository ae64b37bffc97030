package login

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/plugin/consent"
)

// redeem makes a login of a code: with the tokens, or with the code itself where the
// operator exchanges it.
func (s *session) redeem(ctx context.Context, code *consent.Code) (*grant.Login, error) {
	left, err := s.newLogin()
	if err != nil {
		return nil, err
	}
	if s.delegated {
		left.At = code.At
		left.Code, left.Verifier, left.RedirectURI = code.Code, code.Verifier, code.RedirectURI
		return left, nil
	}
	resolved, err := s.resolver.ResolveWith(ctx, s.plan, code.Grant)
	if err != nil {
		return nil, err
	}
	answer, err := s.tokens.Token(ctx, resolved.Request)
	return left, s.take(left, answer, err, resolved.Request)
}

// logInByDevice has the person enter a code elsewhere, and leaves the tokens.
func (s *session) logInByDevice(ctx context.Context) (*grant.Login, error) {
	left, err := s.newLogin()
	if err != nil {
		return nil, err
	}
	answer, request, err := s.consent.ByDevice(ctx, s.environment, s.tokens, s.resolver, s.plan)
	if err := s.take(left, answer, err, request); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), errand)
	defer cancel()
	return left, s.store(ctx, left)
}

func (s *session) newLogin() (*grant.Login, error) {
	var id [16]byte
	if _, err := io.ReadFull(s.environment.Random, id[:]); err != nil {
		return nil, fmt.Errorf("the random source of this machine has failed: %w", err)
	}
	return &grant.Login{ID: hex.EncodeToString(id[:]), Credential: string(s.credential.UID), Consent: s.plan.Consent()}, nil
}

// take puts an answer into a login. Of one that cannot be used it takes the refresh token,
// for which the code is spent.
func (s *session) take(left *grant.Login, answer *oauth.Answer, err error, request oauth.Request) error {
	if failed, ok := errors.AsType[*oauth.Error](err); ok && !failed.RefreshToken.IsEmpty() {
		left.At, left.RefreshToken = s.environment.Clock.Now(), failed.RefreshToken
		s.environment.Tellf("Note: the answer has a refresh token, from which the operator goes on, and cannot be used otherwise: %v\n", err)
		return nil
	}
	if err != nil {
		return err
	}
	left.At = answer.Sent
	left.RefreshToken = answer.RefreshToken
	if at, ok := answer.RefreshTokenExpiresAt(); ok {
		left.ExpiresAt = at
	}
	left.Token = &grant.Token{Answer: answer, ClientID: request.Client.ID, InputsHash: s.plan.AnswerHash()}
	if answer.RefreshToken.IsEmpty() {
		s.environment.Tellf("Note: the provider gave no refresh token, so that you have to log in again when the access token has run out. " +
			"Ask for one, by a scope such as offline_access or by authorizationParameters, as its documentation has it.\n")
	}
	return nil
}
