package standin_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tokensync/tokensync/test/standin"
)

// rotating is plain OAuth with refresh tokens.
func rotating(rotation standin.Rotation, clock func() time.Time) *standin.Server {
	return standin.NewOAuth(standin.Options{
		Clients: map[string]string{id: secret, "other": "s"}, Rotation: &rotation, Clock: clock,
	})
}

// refreshing makes a request one to refresh.
func refreshing(refreshToken string) edit {
	return func(r *http.Request, form url.Values) {
		encodedBasic()(r, form)
		form["grant_type"], form["refresh_token"] = []string{"refresh_token"}, []string{refreshToken}
	}
}

// told is what a token endpoint answered.
type told struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	ExpiresIn    int64  `json:"refresh_token_expires_in"`
	Scope        string `json:"scope"`
	Error        string `json:"error"`
}

func (a answer) told(t *testing.T) (members told) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.text), &members); err != nil {
		t.Fatalf("%d %s: %v", a.status, a.text, err)
	}
	return members
}

func TestRefreshAnswersByteForByte(t *testing.T) {
	for want, rotation := range map[string]standin.Rotation{
		`{"access_token":"TOKEN","token_type":"Bearer","expires_in":3600,"refresh_token":"TOKEN","scope":"a b"}`: {},
		`{"access_token":"TOKEN","token_type":"Bearer","expires_in":3600,"refresh_token":"TOKEN",` +
			`"refresh_token_expires_in":86400,"scope":"a b"}`: {RefreshTokenExpiresIn: 24 * time.Hour},
		`{"access_token":"TOKEN","token_type":"Bearer","expires_in":3600,"scope":"a b"}`: {
			KeepStatic: true, RefreshTokenExpiresIn: 24 * time.Hour,
		},
	} {
		server := rotating(rotation, fixed)
		response := token(t, server, refreshing(server.MintRefreshToken(id, "a", "b")))
		if response.masked() != want || response.status != http.StatusOK {
			t.Errorf("%d %s\nwant %s", response.status, response.masked(), want)
		}
	}
}

// step presents the token of a number: 0 is the one that was minted, 1 that of the
// first answer which has one, and so on.
type step struct {
	use   int
	after time.Duration
	want  string // the error, if any
}

func TestRotationFollowsItsGrace(t *testing.T) {
	const dead = "invalid_grant"
	for name, test := range map[string]struct {
		rotation           standin.Rotation
		steps              []step
		generation         int
		retries, reuses    int64
		refusals           int64
		current, isRevoked bool
	}{
		"a chain":                               {steps: []step{{use: 0}, {use: 1}, {use: 2}}, generation: 3, current: true},
		"the one before, as its answer is lost": {steps: []step{{use: 0}, {use: 0}, {use: 0}, {use: 3}}, generation: 2, retries: 2, current: true},
		"the one before, long after":            {steps: []step{{use: 0}, {use: 0, after: 1000 * time.Hour}}, generation: 1, retries: 1, current: true},
		"two before":                            {steps: []step{{use: 0}, {use: 1}, {use: 0, want: dead}, {use: 2, want: dead}}, generation: 2, reuses: 1, refusals: 1, isRevoked: true},
		"the other of two answers":              {steps: []step{{use: 0}, {use: 0}, {use: 2}, {use: 1, want: dead}, {use: 3, want: dead}}, generation: 2, retries: 1, reuses: 1, refusals: 1, isRevoked: true},
		"within the window":                     {rotation: standin.Rotation{GraceFor: 30 * time.Second}, steps: []step{{use: 0}, {use: 0, after: 29 * time.Second}}, generation: 1, retries: 1, current: true},
		"beyond the window, which a retry does not move": {
			rotation: standin.Rotation{GraceFor: 30 * time.Second},
			steps:    []step{{use: 0}, {use: 0, after: 29 * time.Second}, {use: 0, after: time.Second, want: dead}, {use: 2, want: dead}},
			retries:  1, reuses: 1, refusals: 1, generation: 1, isRevoked: true,
		},
		"no grace": {
			rotation: standin.Rotation{Grace: standin.GraceNone},
			steps:    []step{{use: 0}, {use: 1}, {use: 1, want: dead}, {use: 2, want: dead}}, generation: 2, reuses: 1, refusals: 1, isRevoked: true,
		},
		"a static token": {rotation: standin.Rotation{KeepStatic: true}, steps: []step{{use: 0}, {use: 0}, {use: 0}}, current: true},
		"an expired token": {
			rotation: standin.Rotation{RefreshTokenExpiresIn: time.Hour},
			steps:    []step{{use: 0, after: time.Hour - 1}, {use: 1, after: time.Hour, want: dead}}, generation: 1, refusals: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			clock := &clock{now: noon}
			server := rotating(test.rotation, clock.Now)
			tokens := []string{server.MintRefreshToken(id)}
			for i, step := range test.steps {
				clock.now = clock.now.Add(step.after)
				members := token(t, server, refreshing(tokens[step.use])).told(t)
				if members.Error != step.want {
					t.Errorf("step %d: %q, want %q", i, members.Error, step.want)
				}
				if members.RefreshToken != "" {
					tokens = append(tokens, members.RefreshToken)
				}
			}
			family := server.FamilyOf(tokens[0])
			if family.Generation != test.generation || family.Retries != test.retries || family.Reuses != test.reuses ||
				family.Refusals != test.refusals || family.Revoked != test.isRevoked {
				t.Errorf("got %+v", family)
			}
			if got := server.StateOf(tokens[len(tokens)-1]); (got == standin.TokenCurrent) != test.current {
				t.Errorf("the last is %s", got)
			}
			if v := server.Violations(); len(v) > 0 {
				t.Errorf("violations: %v", v)
			}
		})
	}
}

func TestStateOfATokenChangesNothing(t *testing.T) {
	clock := &clock{now: noon}
	server := rotating(standin.Rotation{GraceFor: time.Minute, RefreshTokenExpiresIn: time.Hour}, clock.Now)
	first := server.MintRefreshToken(id)
	answered := token(t, server, refreshing(first)).told(t)
	second := answered.RefreshToken
	third := token(t, server, refreshing(second)).told(t).RefreshToken
	expect := func(when string, states ...standin.TokenState) {
		t.Helper()
		for i, refreshToken := range []string{first, second, third, answered.AccessToken, "x"} {
			if got := server.StateOf(refreshToken); got != states[i] {
				t.Errorf("%s: token %d is %s, want %s", when, i, got, states[i])
			}
		}
	}
	const unknown = standin.TokenUnknown
	expect("now", standin.TokenStale, standin.TokenPrevious, standin.TokenCurrent, unknown, unknown)
	clock.now = noon.Add(time.Minute)
	expect("later", standin.TokenStale, standin.TokenStale, standin.TokenCurrent, unknown, unknown)
	clock.now = noon.Add(time.Hour)
	expect("late", standin.TokenExpired, standin.TokenExpired, standin.TokenExpired, unknown, unknown)
	if family := server.FamilyOf(third); family.Revoked || family.LastToken != third || family.Refreshes != 2 {
		t.Errorf("got %+v", family)
	}
	if !server.RevokeFamily(server.FamilyOf(third).ID) || server.RevokeFamily("x") {
		t.Error("families are not revoked by their names")
	}
	expect("revoked", standin.TokenRevoked, standin.TokenRevoked, standin.TokenRevoked, unknown, unknown)
}

func TestARevokedFamilyHasNoAccess(t *testing.T) {
	server := rotating(standin.Rotation{}, fixed)
	first, other := server.MintRefreshToken(id), server.MintRefreshToken(id)
	members := token(t, server, refreshing(first)).told(t)
	alone := token(t, server, refreshing(other)).told(t).AccessToken
	bare := token(t, server, encodedBasic()).told(t).AccessToken
	good := func(accessToken string) bool {
		_, _, checked := server.Check(accessToken)
		served := call(t, server, http.MethodGet, standin.ResourcePrefix+"x", "", header("Authorization", "Bearer "+accessToken)).status == http.StatusOK
		if checked != served {
			t.Errorf("checked %t, served %t", checked, served)
		}
		return checked
	}
	if !good(members.AccessToken) || !good(alone) || !good(bare) || good(members.RefreshToken) {
		t.Error("before: the access tokens are good and the refresh token is none")
	}
	token(t, server, refreshing(members.RefreshToken))
	token(t, server, refreshing(first))
	if good(members.AccessToken) || !good(alone) || !good(bare) {
		t.Error("after: only those of the family are not")
	}
	family := server.FamilyOf(members.AccessToken)
	actions := []standin.FamilyAction{}
	for _, event := range family.History {
		actions = append(actions, event.Action)
	}
	want := []standin.FamilyAction{standin.Minted, standin.Refreshed, standin.Refreshed, standin.Reused, standin.Withdrawn}
	if !family.Revoked || !slices.Equal(actions, want) || family.History[3].Generation != 0 {
		t.Errorf("got %+v", family)
	}
	if families := server.Families(); len(families) != 2 || families[0].ID != family.ID || server.FamilyOf(bare).ID != "" {
		t.Errorf("families %+v", families)
	}
}

func TestRefreshIsRefused(t *testing.T) {
	server := rotating(standin.Rotation{}, fixed)
	good := server.MintRefreshToken(id, "a", "b")
	const bad = `{"error":"invalid_grant","error_description":"the grant is not good"}`
	expectRefusals(t, server, map[string]wrong{
		"none": {
			[]edit{refreshing("")},
			"refresh_token is missing", standin.Malformed, http.StatusBadRequest,
			`{"error":"invalid_request","error_description":"refresh_token is missing"}`,
		},
		"somebody's": {[]edit{refreshing("x")}, "the refresh token is none of ours", standin.Rejected, http.StatusBadRequest, bad},
		"an access token": {
			[]edit{refreshing(token(t, server, encodedBasic()).told(t).AccessToken)}, "the refresh token is none of ours", standin.Rejected, http.StatusBadRequest, bad,
		},
		"another client's": {
			[]edit{refreshing(good), rawBasic("other", "s")}, "the refresh token is that of another client", standin.Rejected, http.StatusBadRequest, bad,
		},
		"with more scope": {
			[]edit{refreshing(good), parameter("scope", "a c")},
			"the scope exceeds that of the refresh token", standin.Rejected, http.StatusBadRequest,
			`{"error":"invalid_scope","error_description":"the scope exceeds that of the refresh token"}`,
		},
	})
	if members := token(t, server, refreshing(good), parameter("scope", "b")).told(t); members.Scope != "b" {
		t.Errorf("less scope: %+v", members)
	}
	if v := server.Violations(); len(v) > 0 {
		t.Errorf("violations: %v", v)
	}
	without := standin.NewOAuth(standin.Options{Clients: map[string]string{id: secret}})
	if got := token(t, without, refreshing("x")).told(t).Error; got != "unsupported_grant_type" {
		t.Errorf("without rotation: %s", got)
	}
	token(t, server, refreshing(good), func(r *http.Request, _ url.Values) { r.URL.RawQuery = "refresh_token=x" })
	if v := server.Violations(); len(v) != 1 || v[0].Rule != standin.SecretInURL {
		t.Errorf("violations: %v", v)
	}
}

func TestTheSameRefreshTokenAtOnce(t *testing.T) {
	const requests = 8
	for grace, want := range map[standin.Grace]int{standin.GracePrevious: requests, standin.GraceNone: 1} {
		server := rotating(standin.Rotation{Grace: grace}, nil)
		first := server.MintRefreshToken(id)
		var group sync.WaitGroup
		answers := make([]answer, requests)
		for i := range answers {
			group.Go(func() { answers[i] = token(t, server, refreshing(first)) })
		}
		group.Wait()
		succeeded := slices.DeleteFunc(answers, func(a answer) bool { return a.status != http.StatusOK })
		family := server.FamilyOf(first)
		if len(succeeded) != want || family.Generation != 1 || family.Revoked != (grace == standin.GraceNone) || family.Refreshes != int64(want) {
			t.Errorf("grace %d: %d succeeded, %+v", grace, len(succeeded), family)
		}
		for _, a := range succeeded {
			if got := server.StateOf(a.told(t).RefreshToken); (got == standin.TokenCurrent) != (grace == standin.GracePrevious) {
				t.Errorf("grace %d: %s", grace, got)
			}
		}
	}
}
