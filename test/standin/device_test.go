package standin_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tokensync/tokensync/test/standin"
)

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

// started is the answer to a device authorization request.
type started struct {
	DeviceCode string `json:"device_code"`
	UserCode   string `json:"user_code"`
}

func start(t *testing.T, server *standin.Server) (codes started, text string) {
	t.Helper()
	response := call(t, server, http.MethodPost, standin.DeviceAuthorizationPath, "scope=read", encodedBasic())
	if err := json.Unmarshal([]byte(response.text), &codes); err != nil || response.status != http.StatusOK {
		t.Fatalf("%d %s, %v", response.status, response.text, err)
	}
	return codes, response.text
}

// polling makes a request one to poll for a device code.
func polling(deviceCode string) edit {
	return func(r *http.Request, form url.Values) {
		encodedBasic()(r, form)
		form.Set("grant_type", deviceGrant)
		form.Set("device_code", deviceCode)
	}
}

func TestDeviceAuthorizationAnswersByteForByte(t *testing.T) {
	server := standin.NewOAuth(codeOptions(fixed))
	codes, text := start(t, server)
	if !regexp.MustCompile(`^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$`).MatchString(codes.UserCode) {
		t.Errorf("the user code is %q", codes.UserCode)
	}
	want := `{"device_code":"` + codes.DeviceCode + `","user_code":"` + codes.UserCode +
		`","verification_uri":"http://example.com/device","verification_uri_complete":"http://example.com/device?user_code=` + codes.UserCode +
		`","expires_in":600,"interval":5}`
	if text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	for name, c := range map[string]struct {
		body  string
		edits []edit
		want  string
	}{
		"a wrong client": {"scope=read", []edit{rawBasic(id, "x")}, "invalid_client"},
		"GET":            {"", []edit{encodedBasic(), func(r *http.Request, _ url.Values) { r.Method = http.MethodGet }}, "invalid_request"},
	} {
		if response := call(t, server, http.MethodPost, standin.DeviceAuthorizationPath, c.body, c.edits...); response.told(t).Error != c.want {
			t.Errorf("%s: %d %s", name, response.status, response.text)
		}
	}
	if counts := server.CountsOf(id); counts.Requests != 0 || counts.Outcomes[standin.Started] != 1 {
		t.Errorf("counted %+v", counts)
	}
}

func TestDevicesArePolled(t *testing.T) {
	for name, test := range map[string]struct {
		decide func(*standin.Server, string) bool
		steps  []step
		rule   standin.Rule
	}{
		"nobody decides": {steps: []step{
			{want: "authorization_pending"}, {after: 5 * time.Second, want: "authorization_pending"}, {after: 10 * time.Minute, want: "expired_token"},
		}},
		"allowed": {decide: (*standin.Server).ApproveDevice, steps: []step{{}, {after: 5 * time.Second, want: "invalid_grant"}}},
		"denied": {decide: (*standin.Server).DenyDevice, steps: []step{
			{want: "access_denied"}, {after: 5 * time.Second, want: "invalid_grant"},
		}},
		"too fast, which costs five seconds each time": {rule: standin.PolledTooFast, steps: []step{
			{want: "authorization_pending"},
			{after: 5*time.Second - 1, want: "slow_down"},
			{after: 10*time.Second - 1, want: "slow_down"},
			{after: 15 * time.Second, want: "authorization_pending"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			clock := &clock{now: noon}
			server := standin.NewOAuth(codeOptions(clock.Now))
			codes, _ := start(t, server)
			if test.decide != nil {
				if !test.decide(server, strings.ToLower(strings.ReplaceAll(codes.UserCode, "-", " "))) || test.decide(server, codes.UserCode) {
					t.Error("it is decided once, however the code is written")
				}
			}
			for i, step := range test.steps {
				clock.now = clock.now.Add(step.after)
				members := token(t, server, polling(codes.DeviceCode)).told(t)
				if members.Error != step.want || (step.want == "") != (server.StateOf(members.RefreshToken) == standin.TokenCurrent) {
					t.Errorf("step %d: %+v", i, members)
				}
			}
			expectRule(t, server, test.rule)
		})
	}
}

func TestDeviceCodesAreOfOneClientAndEnd(t *testing.T) {
	clock := &clock{now: noon}
	options := codeOptions(clock.Now)
	options.DeviceInterval, options.DeviceLifetime = 2*time.Second+time.Millisecond, time.Minute
	server := standin.NewOAuth(options)
	codes, text := start(t, server)
	if !strings.Contains(text, `"expires_in":60,"interval":2}`) {
		t.Error(text)
	}
	for name, edits := range map[string][]edit{
		"invalid_grant":   {parameter("client_id", "public"), func(r *http.Request, _ url.Values) { r.Header.Del("Authorization") }},
		"invalid_request": {parameter("device_code")},
	} {
		if got := token(t, server, append([]edit{polling(codes.DeviceCode)}, edits...)...).told(t).Error; got != name {
			t.Errorf("%s, want %s", got, name)
		}
	}
	token(t, server, polling(codes.DeviceCode))
	if outcomes := server.CountsOf(id).Outcomes; outcomes[standin.Pending] != 1 {
		t.Errorf("counted %v", outcomes)
	}
	clock.now = noon.Add(time.Minute)
	if server.ApproveDevice(codes.UserCode) || server.DenyDevice("BCDF-GHJK") {
		t.Error("what has ended or is unknown is decided")
	}
}

func TestTheDevicePage(t *testing.T) {
	server := standin.NewOAuth(codeOptions(fixed))
	codes, _ := start(t, server)
	page := call(t, server, http.MethodGet, standin.DevicePath+"?user_code=%22"+codes.UserCode, "")
	for _, part := range []string{`<form method="post">`, `id="user_code"`, `value="&#34;` + codes.UserCode + `"`, `id="allow"`, `id="deny"`} {
		if !strings.Contains(page.text, part) {
			t.Errorf("the page lacks %s:\n%s", part, page.text)
		}
	}
	for _, step := range []struct {
		form   string
		status int
		says   string
	}{
		{"user_code=" + codes.UserCode, http.StatusBadRequest, "no decision"},
		{"decision=allow&user_code=BCDF-GHJK", http.StatusNotFound, "unknown"},
		{"decision=allow&user_code=" + codes.UserCode, http.StatusOK, `<p id="result">allowed</p>`},
		{"decision=deny&user_code=" + codes.UserCode, http.StatusNotFound, "unknown"},
	} {
		if response := call(t, server, http.MethodPost, standin.DevicePath, step.form); response.status != step.status || !strings.Contains(response.text, step.says) {
			t.Errorf("%s: %d %s", step.form, response.status, response.text)
		}
	}
	if members := token(t, server, polling(codes.DeviceCode)).told(t); members.AccessToken == "" || members.Scope != "read" {
		t.Errorf("got %+v", members)
	}
	other, _ := start(t, server)
	if response := call(t, server, http.MethodPost, standin.DevicePath, "decision=deny&user_code="+other.UserCode); !strings.Contains(response.text, `<p id="result">denied</p>`) {
		t.Errorf("denied: %s", response.text)
	}
}
