package share

import (
	"context"
	"time"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/secretstore"
	"github.com/tokensync/tokensync/internal/sidecar"
	"github.com/tokensync/tokensync/internal/sidecar/engine"
)

// retry is the pause before the Secret is read again.
const retry = 2 * time.Second

// lead asks the provider until the context ends.
func (s *Share) lead(ctx context.Context, into *sidecar.Current) {
	if !s.begin(ctx) {
		return
	}
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.leads = false
	}()
	asked := sidecar.NewCurrent()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.forward(ctx, asked, into)
	}()
	if err := s.Engine.Run(ctx, asked); err != nil {
		s.Log.Error("asking the provider has ended", "error", err)
	}
	<-ended
}

// begin finds out which token is in use: that of the Secret, or one that this replica has
// and could not put there. It tries until the Secret can be read, and is not somebody
// else's: a token that cannot be stored would be asked for in vain. It answers false when
// the context ends before.
func (s *Share) begin(ctx context.Context) bool {
	told := false
	for {
		secret, err := s.store.Read(ctx, s.key())
		switch {
		case err != nil: // Who watches the Secret tells what is wrong.
		case secret != nil && !s.mine(&secret.ObjectMeta):
			if !told {
				s.Log.Error("no token is asked for, because it could not be stored", "error", s.conflict())
			}
			told = true
			s.Lost(s.conflict())
		default:
			request := ""
			if secret != nil {
				request = secret.Annotations[v1alpha1.AnnotationRefreshRequestedAt]
			}
			token, _ := s.inspect(secret)
			s.take(token, request)
			return true
		}
		if !s.pause(ctx) {
			return false
		}
	}
}

// take begins to lead with the token of the Secret, nil where there is none, and the refresh
// that it asks for, empty for none.
func (s *Share) take(token *secretstore.Token, request string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leads, s.request = true, request
	if own := s.unpublished; own != nil && (token == nil || token.IssuedAt.Before(own.IssuedAt)) {
		s.Engine.Hold(engine.Held{Token: *own, Unpublished: true})
		return
	}
	s.unpublished = nil
	if token == nil {
		return
	}
	s.inSecret = s.setOf(token)
	asked, err := time.Parse(time.RFC3339, request)
	s.Engine.Hold(engine.Held{Token: *token, Refused: err == nil && asked.After(token.IssuedAt)})
}

// forward delivers what the provider has answered, before the Secret holds it.
func (s *Share) forward(ctx context.Context, asked, into *sidecar.Current) {
	for set := range asked.All(ctx) {
		s.mu.Lock()
		if !set.Is(s.inSecret) {
			s.ahead, s.replaces = true, s.inSecret
			into.Offer(set)
		}
		s.mu.Unlock()
	}
}

// pause waits a moment, and answers false when the context ends meanwhile.
func (s *Share) pause(ctx context.Context) bool {
	timer := s.Clock.NewTimer(retry)
	defer timer.Stop()
	select {
	case <-timer.C():
		return true
	case <-ctx.Done():
		return false
	}
}
