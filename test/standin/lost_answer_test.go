package standin_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tokensync/tokensync/test/eventually"
	"github.com/tokensync/tokensync/test/standin"
)

func TestTheAnswerOfARotationIsLost(t *testing.T) {
	for name, behavior := range map[string]standin.Behavior{
		"by a 500":           {Fault: standin.Respond, Status: http.StatusInternalServerError},
		"by a 502":           {Fault: standin.HTML, Status: http.StatusBadGateway},
		"by a hang-up":       {Fault: standin.Reset},
		"by half an answer":  {Fault: standin.Truncated},
		"by nothing at all":  {Fault: standin.Empty},
		"by a 429 too late":  {Fault: standin.TooMany},
		"by garbage in 200":  {Fault: standin.Garbage},
		"by a page in a 200": {Fault: standin.HTML},
	} {
		t.Run(name, func(t *testing.T) {
			behavior.AfterRotation, behavior.Next = true, 1
			server := rotating(standin.Rotation{}, fixed)
			server.Misbehave(behavior)
			first := server.MintRefreshToken(id)
			if response := token(t, server, encodedBasic()); response.status != http.StatusOK {
				t.Fatalf("what spends nothing is answered %d", response.status)
			}
			if members := token(t, server, refreshing("x")).told(t); members.Error != "invalid_grant" {
				t.Fatalf("what is not good is answered %+v", members)
			}
			lost := try(t, server, refreshing(first))
			family := server.FamilyOf(first)
			if strings.Contains(lost.text, family.LastToken) || family.Refreshes != 1 || server.StateOf(first) != standin.TokenPrevious {
				t.Errorf("answered %d %q; %+v", lost.status, lost.text, family)
			}
			if n := server.Counts().Outcomes[behavior.Fault.Outcome()]; n != 1 {
				t.Errorf("counted %d", n)
			}
			if members := token(t, server, refreshing(first)).told(t); members.RefreshToken == "" || server.FamilyOf(first).Retries != 1 {
				t.Errorf("the second time: %+v", members)
			}
		})
	}
}

func TestABehaviorBeforeTheRotationSpendsNothing(t *testing.T) {
	server := rotating(standin.Rotation{Grace: standin.GraceNone}, fixed)
	server.Misbehave(standin.Behavior{Fault: standin.Respond, Next: 1}, standin.Behavior{Fault: standin.Respond, Status: 502, AfterRotation: true})
	first := server.MintRefreshToken(id)
	for i, want := range []int{503, 502, 400} {
		if got := token(t, server, refreshing(first)).status; got != want {
			t.Errorf("request %d: %d, want %d", i, got, want)
		}
		if state := server.StateOf(first); i == 0 && state != standin.TokenCurrent {
			t.Errorf("after the first it is %s", state)
		}
	}
}

func TestTheAnswerOfARotationIsLate(t *testing.T) {
	server := listen(t, rotating(standin.Rotation{}, nil))
	server.Misbehave(standin.Behavior{AfterRotation: true, Delay: time.Hour, Next: 1}, standin.Behavior{AfterRotation: true, Fault: standin.Hang})
	for range 2 {
		first := server.MintRefreshToken(id)
		done := make(chan struct{})
		ctx, leave := context.WithCancel(t.Context())
		go func() {
			answered, err := server.send(ctx, url.Values{
				"grant_type": {"refresh_token"}, "refresh_token": {first}, "client_id": {id}, "client_secret": {secret},
			})
			if err == nil {
				t.Errorf("it was answered %d (%v)", answered.StatusCode, answered.Body.Close())
			}
			close(done)
		}()
		eventually.Holds(t, "the first is the one before", func() bool { return server.StateOf(first) == standin.TokenPrevious })
		leave()
		<-done
	}
	eventually.Holds(t, "the answer was lost", func() bool {
		outcomes := server.Counts().Outcomes
		return outcomes[standin.Abandoned] == 1 && outcomes[standin.Hang.Outcome()] == 1
	})
}
