package standin_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokensync/tokensync/test/standin"
)

// management calls the token API of Synqly without a body.
func management(t *testing.T, server *standin.Server, method, path, bearer string) answer {
	t.Helper()
	return call(t, server, method, "/v1/tokens"+path, "", header("Authorization", "Bearer "+bearer))
}

// secrets are those of an answered organization token.
type secrets struct {
	Access, Refresh struct {
		Secret  string
		Expires time.Time
	}
}

// pairs returns those of an answer; the secondary is nil where there is none.
func (a answer) pairs(t *testing.T) (primary secrets, secondary *secrets) {
	t.Helper()
	var told struct {
		Result struct {
			Primary   secrets
			Secondary *secrets
		}
	}
	if err := json.Unmarshal([]byte(a.text), &told); err != nil || a.status != http.StatusOK {
		t.Fatalf("%d %s: %v", a.status, a.text, err)
	}
	return told.Result.Primary, told.Result.Secondary
}

func TestSynqlyRefreshesByteForByte(t *testing.T) {
	clock := &clock{now: noon}
	server := standin.NewSynqly(standin.Options{Clock: clock.Now})
	minted := server.MintOrganizationToken(standin.OrganizationOptions{OwnerID: "org-7", Name: "siem", TTL: time.Hour, Ends: 48 * time.Hour, PermissionSet: "member"})
	if !regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`).MatchString(minted.ID) || minted.OwnerID != "org-7" {
		t.Errorf("minted %+v", minted)
	}
	clock.now = noon.Add(time.Minute)
	response := management(t, server, http.MethodPut, "/"+minted.ID+"/refresh", minted.RefreshSecret)
	pair := func(expires string) string {
		const rest = `,"permissions":{"resources":{},"permission_set":"member"}}`
		return `{"access":{"secret":"TOKEN","expires":"` + expires + `"` + rest + `,"refresh":{"secret":"TOKEN","expires":"2022-12-03T19:59:20.75Z"` + rest + `}`
	}
	want := `{"result":{"name":"siem","created_at":"2022-12-01T19:59:20.75Z","updated_at":"2022-12-01T20:00:20.75Z","id":"` + minted.ID +
		`","fullname":"siem","member_id":"c0ffee00-0000-4000-8000-000000000004","owner_id":"org-7","owner_type":"organization",` +
		`"expires":"2022-12-03T19:59:20.75Z","token_ttl":"1h","token_type":"adhoc","primary":` + pair("2022-12-01T21:00:20.75Z") +
		`,"secondary":` + pair("2022-12-01T20:59:20.75Z") + `}}`
	if got := response.masked(); got != want || response.status != http.StatusOK {
		t.Errorf("%d %s\nwant %s", response.status, got, want)
	}
	expectHeader(t, response, map[string]string{"Content-Type": "application/json"})
	if _, secondary := response.pairs(t); secondary.Access.Secret != minted.AccessSecret || secondary.Refresh.Secret != minted.RefreshSecret {
		t.Error("the secondary pair is not the primary one of before")
	}
	if counts := server.CountsOf(minted.ID); counts.Requests != 1 || counts.Outcomes[standin.Issued] != 1 {
		t.Errorf("counted %+v", counts)
	}
	expectRule(t, server, "")
}

func TestSynqlyKeepsTwoPairs(t *testing.T) {
	server := standin.NewSynqly(standin.Options{Clock: fixed})
	minted := server.MintOrganizationToken(standin.OrganizationOptions{})
	path := "/" + minted.ID + "/refresh"
	refresh := func(secret string) answer { return management(t, server, http.MethodPut, path, secret) }
	expect := func(when string, bearers []string, want ...int) {
		t.Helper()
		for i, bearer := range bearers {
			if got := mint(t, server, bearer, "{}").status; got != want[i] {
				t.Errorf("%s: an integration token for pair %d: %d, want %d", when, i, got, want[i])
			}
		}
	}
	first, _ := refresh(minted.RefreshSecret).pairs(t)
	expect("one refresh", []string{minted.AccessSecret, first.Access.Secret, first.Refresh.Secret}, 200, 200, 401)
	second, secondary := refresh(minted.RefreshSecret).pairs(t) // its answer was lost
	if secondary.Refresh.Secret != first.Refresh.Secret {
		t.Error("the secondary pair is not the primary one of before")
	}
	expect("a second one with the first secret", []string{minted.AccessSecret, first.Access.Secret, second.Access.Secret}, 401, 200, 200)
	states := []standin.TokenState{server.StateOf(minted.RefreshSecret), server.StateOf(first.Refresh.Secret), server.StateOf(second.Refresh.Secret)}
	if !slices.Equal(states, []standin.TokenState{standin.TokenStale, standin.TokenPrevious, standin.TokenCurrent}) {
		t.Errorf("states %v", states)
	}
	dead := refresh(minted.RefreshSecret)
	const want = `{"message":"Unauthorized","status":401,"occurred_at":"2022-12-01T19:59:20.75Z","instance":"/v1/tokens"}`
	if dead.status != http.StatusUnauthorized || dead.text != want {
		t.Errorf("the oldest pair: %d %s", dead.status, dead.text)
	}
	if response := management(t, server, http.MethodDelete, "/"+minted.ID+"/secondary", second.Access.Secret); response.status != http.StatusNoContent || response.text != "" {
		t.Errorf("retired: %d %s", response.status, response.text)
	}
	expect("retired", []string{first.Access.Secret, second.Access.Secret}, 401, 200)
	if got := refresh(first.Refresh.Secret).status; got != http.StatusUnauthorized {
		t.Errorf("the retired pair: %d", got)
	}
	family := server.Family(minted.ID)
	if family.Refreshes != 2 || family.Retries != 1 || family.Reuses != 2 || family.Generation != 2 || family.Revoked || family.LastToken != second.Refresh.Secret {
		t.Errorf("got %+v", family)
	}
	if integration := mint(t, server, second.Access.Secret, "{}"); server.FamilyOf(opaque.FindString(integration.text)).ID != "" {
		t.Error("an integration token belongs to the family")
	}
	expectRule(t, server, "")
}

func TestSynqlyAdministratorsRenew(t *testing.T) {
	clock := &clock{now: noon}
	server := standin.NewSynqly(standin.Options{Clock: clock.Now})
	admin := server.MintOrganizationToken(standin.OrganizationOptions{Ends: 480 * time.Hour})
	minted := server.MintOrganizationToken(standin.OrganizationOptions{Ends: 48 * time.Hour, TTL: 24 * time.Hour})
	path := "/org-1/" + minted.ID
	clock.now = noon.Add(time.Hour)
	rotated, secondary := management(t, server, http.MethodPut, path+"/rotate", admin.AccessSecret).pairs(t)
	if secondary == nil || secondary.Refresh.Secret != minted.RefreshSecret || server.StateOf(minted.RefreshSecret) != standin.TokenPrevious {
		t.Errorf("rotated: %+v", secondary)
	}
	reset, secondary := management(t, server, http.MethodPut, path+"/reset", admin.AccessSecret).pairs(t)
	if secondary != nil || server.StateOf(rotated.Refresh.Secret) != standin.TokenStale || !reset.Refresh.Expires.Equal(noon.Add(49*time.Hour)) {
		t.Errorf("reset: %+v %+v", reset, secondary)
	}
	if _, secondary = management(t, server, http.MethodPut, path+"/reset", reset.Refresh.Secret).pairs(t); secondary != nil {
		t.Error("reset by its own refresh secret")
	}
	if family := server.Family(minted.ID); family.Refreshes != 0 || family.Generation != 3 || family.History[3].Action != standin.WasReset {
		t.Errorf("got %+v", family)
	}
	clock.now = noon.Add(49*time.Hour - time.Minute)
	last, _ := management(t, server, http.MethodPut, "/"+minted.ID+"/refresh", server.Family(minted.ID).LastToken).pairs(t)
	if !last.Access.Expires.Equal(noon.Add(49 * time.Hour)) {
		t.Errorf("an access secret outlives its token: %s", last.Access.Expires)
	}
	clock.now = noon.Add(49 * time.Hour)
	if got := management(t, server, http.MethodPut, "/"+minted.ID+"/refresh", last.Refresh.Secret).status; got != http.StatusUnauthorized {
		t.Errorf("after the end: %d", got)
	}
}

func TestSynqlyRefusesManagement(t *testing.T) {
	server := standin.NewSynqly(standin.Options{Key: organizationKey, Clock: fixed})
	admin := server.MintOrganizationToken(standin.OrganizationOptions{})
	member := server.MintOrganizationToken(standin.OrganizationOptions{PermissionSet: "member"})
	other := server.MintOrganizationToken(standin.OrganizationOptions{OwnerID: "org-2"})
	elsewhere := organizationToken(t, fixed)
	for name, test := range map[string]struct {
		method, path, bearer string
		status               int
	}{
		"refresh by access":              {"PUT", "/" + member.ID + "/refresh", member.AccessSecret, 401},
		"refresh by nobody":              {"PUT", "/" + member.ID + "/refresh", "x", 401},
		"refresh by another":             {"PUT", "/" + member.ID + "/refresh", admin.RefreshSecret, 403},
		"refresh of nothing":             {"PUT", "/x/refresh", admin.RefreshSecret, 404},
		"refresh by POST":                {"POST", "/" + member.ID + "/refresh", member.RefreshSecret, 400},
		"rotate by a member":             {"PUT", "/org-1/" + member.ID + "/rotate", member.AccessSecret, 403},
		"rotate by its refresh secret":   {"PUT", "/org-1/" + member.ID + "/rotate", member.RefreshSecret, 403},
		"rotate by another organization": {"PUT", "/org-1/" + member.ID + "/rotate", other.AccessSecret, 403},
		"rotate of another owner":        {"PUT", "/org-2/" + member.ID + "/rotate", admin.AccessSecret, 404},
		"rotate by another server":       {"PUT", "/org-1/" + member.ID + "/rotate", elsewhere, 200},
		"reset by a member":              {"PUT", "/org-1/" + admin.ID + "/reset", member.AccessSecret, 403},
		"reset by another's secret":      {"PUT", "/org-1/" + admin.ID + "/reset", member.RefreshSecret, 403},
		"list by refresh":                {"GET", "", admin.RefreshSecret, 401},
		"list by a member":               {"GET", "", member.AccessSecret, 403},
		"info by nobody":                 {"GET", "/" + other.ID + "/info", "", 401},
		"info by another":                {"GET", "/" + other.ID + "/info", admin.AccessSecret, 403},
		"info of nothing":                {"GET", "/x/info", admin.AccessSecret, 404},
		"delete by another":              {"DELETE", "/" + other.ID, admin.AccessSecret, 403},
		"retire by another":              {"DELETE", "/" + other.ID + "/secondary", admin.AccessSecret, 403},
		"retire by GET":                  {"GET", "/" + other.ID + "/secondary", other.AccessSecret, 400},
		"mint by POST":                   {"POST", "", admin.AccessSecret, 404},
		"something else":                 {"PUT", "/org-1/" + admin.ID + "/other", admin.AccessSecret, 404},
	} {
		response := management(t, server, test.method, test.path, test.bearer)
		if response.status != test.status {
			t.Errorf("%s: %d %s, want %d", name, response.status, response.text, test.status)
		}
		if test.status >= 400 && test.status != 404 && !strings.HasPrefix(response.text, `{"message":"`+http.StatusText(test.status)+`","status":`) {
			t.Errorf("%s is no problem: %s", name, response.text)
		}
	}
	expectRule(t, server, standin.WrongMethod)
}

func TestSynqlyWantsNoBody(t *testing.T) {
	server := standin.NewSynqly(standin.Options{Clock: fixed})
	minted := server.MintOrganizationToken(standin.OrganizationOptions{})
	response := call(t, server, http.MethodPut, "/v1/tokens/"+minted.ID+"/refresh", "{}", header("Authorization", "Bearer "+minted.RefreshSecret))
	if response.status != http.StatusBadRequest || server.StateOf(minted.RefreshSecret) != standin.TokenCurrent || server.Family(minted.ID).Refreshes != 0 {
		t.Errorf("%d %s", response.status, response.text)
	}
	expectRule(t, server, standin.UnwantedBody)
}

func TestSynqlyListsTellsAndDeletes(t *testing.T) {
	server := standin.NewSynqly(standin.Options{Clock: fixed})
	admin := server.MintOrganizationToken(standin.OrganizationOptions{})
	minted := server.MintOrganizationToken(standin.OrganizationOptions{Name: "one", PermissionSet: "member"})
	server.MintOrganizationToken(standin.OrganizationOptions{OwnerID: "org-2"})
	count := func() int {
		var told struct{ Result []struct{ ID string } }
		response := management(t, server, http.MethodGet, "", admin.AccessSecret)
		if err := json.Unmarshal([]byte(response.text), &told); err != nil || opaque.MatchString(response.text) {
			t.Fatalf("%s: %v", response.text, err)
		}
		return len(told.Result)
	}
	if got := count(); got != 2 {
		t.Errorf("%d are listed", got)
	}
	info := management(t, server, http.MethodGet, "/"+minted.ID+"/info", minted.AccessSecret)
	if primary, secondary := info.pairs(t); !strings.Contains(info.text, `"name":"one"`) || primary.Access.Secret != "" || secondary != nil {
		t.Errorf("told %s", info.text)
	}
	if response := management(t, server, http.MethodDelete, "/"+minted.ID, admin.AccessSecret); response.status != http.StatusNoContent {
		t.Errorf("deleted: %d %s", response.status, response.text)
	}
	if got := count(); got != 1 {
		t.Errorf("%d are listed when one is deleted", got)
	}
	if _, _, ok := server.Check(minted.AccessSecret); ok || server.StateOf(minted.RefreshSecret) != standin.TokenRevoked {
		t.Error("a secret of a deleted token is good")
	}
	for bearer, want := range map[string]int{minted.RefreshSecret: 401, admin.RefreshSecret: 404} {
		if got := management(t, server, http.MethodPut, "/"+minted.ID+"/refresh", bearer).status; got != want {
			t.Errorf("refreshed: %d, want %d", got, want)
		}
	}
	if counts := server.CountsOf(minted.ID); counts.Requests != 2 || counts.Outcomes[standin.Managed] != 2 {
		t.Errorf("counted %+v", counts)
	}
	expectRule(t, server, "")
}

func TestTheAnswerOfSynqlyIsLost(t *testing.T) {
	server := standin.NewSynqly(standin.Options{Clock: fixed})
	minted := server.MintOrganizationToken(standin.OrganizationOptions{})
	path := "/" + minted.ID + "/refresh"
	server.Misbehave(standin.Behavior{Fault: standin.Respond, Status: http.StatusBadGateway, AfterRotation: true, Next: 1, ClientID: minted.ID})
	if got := mint(t, server, minted.AccessSecret, "{}").status; got != http.StatusOK {
		t.Errorf("what spends nothing is answered %d", got)
	}
	if got := management(t, server, http.MethodPut, path, minted.RefreshSecret).status; got != http.StatusBadGateway || server.StateOf(minted.RefreshSecret) != standin.TokenPrevious {
		t.Errorf("at first: %d", got)
	}
	if primary, _ := management(t, server, http.MethodPut, path, minted.RefreshSecret).pairs(t); server.StateOf(primary.Refresh.Secret) != standin.TokenCurrent {
		t.Error("the second time")
	}
	if got := management(t, server, http.MethodPut, path, minted.RefreshSecret).status; got != http.StatusUnauthorized {
		t.Errorf("the third time: %d", got)
	}
}

func TestTwoRefreshesOfSynqlyAtOnce(t *testing.T) {
	const requests = 8
	server := standin.NewSynqly(standin.Options{})
	minted := server.MintOrganizationToken(standin.OrganizationOptions{})
	answers := make([]answer, requests)
	var group sync.WaitGroup
	for i := range answers {
		group.Go(func() {
			answers[i] = management(t, server, http.MethodPut, "/"+minted.ID+"/refresh", minted.RefreshSecret)
		})
	}
	group.Wait()
	succeeded := slices.DeleteFunc(answers, func(a answer) bool { return a.status != http.StatusOK })
	if family := server.Family(minted.ID); len(succeeded) != 2 || family.Refreshes != 2 || family.Reuses != requests-2 {
		t.Errorf("%d succeeded, %+v", len(succeeded), family)
	}
}
