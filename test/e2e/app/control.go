package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/tokensync/tokensync/test/e2e/app/report"
	"github.com/tokensync/tokensync/test/standin"
)

// control is what the control port serves.
func (p *provider) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /counts", func(w http.ResponseWriter, _ *http.Request) { answer(w, p.counts()) })
	for path, change := range map[string]func(url.Values) error{
		"/lifetime": p.setLifetime, "/withdraw": p.withdraw, "/fail": p.fail,
	} {
		mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
			if err := change(r.URL.Query()); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			w.WriteHeader(http.StatusNoContent)
		})
	}
	return mux
}

func (p *provider) servers() []*standin.Server {
	return []*standin.Server{p.syncronex, p.plain}
}

func (p *provider) setLifetime(parameters url.Values) error {
	lifetime, err := time.ParseDuration(parameters.Get("d"))
	if err != nil || lifetime < time.Second {
		return fmt.Errorf("d is %q: it must be a duration of a second at least, such as 20s", parameters.Get("d"))
	}
	for _, server := range p.servers() {
		server.SetLifetime(lifetime)
	}
	return nil
}

// withdraw tells the server that serves the resources; nobody asks the other one.
func (p *provider) withdraw(url.Values) error {
	p.syncronex.Withdraw()
	return nil
}

func (p *provider) fail(parameters url.Values) error {
	status, err := strconv.Atoi(parameters.Get("status"))
	if err != nil || status < http.StatusBadRequest || status > 599 {
		return fmt.Errorf("status is %q: it must be from 400 to 599", parameters.Get("status"))
	}
	duration, err := time.ParseDuration(parameters.Get("for"))
	if err != nil || duration < 0 {
		return fmt.Errorf("for is %q: it must be a duration, such as 10s", parameters.Get("for"))
	}
	for _, server := range p.servers() {
		server.Misbehave(standin.Behavior{Fault: standin.Respond, Status: status, Until: time.Now().Add(duration)})
	}
	return nil
}

// counts adds up what both servers have seen.
func (p *provider) counts() report.Provider {
	told := report.Provider{TokenRequests: map[string]int64{}, ResourceRequests: map[string]int64{}}
	statuses := map[standin.Outcome]int{standin.Served: http.StatusOK, standin.Denied: http.StatusUnauthorized}
	var latest time.Time
	for _, server := range p.servers() {
		for outcome, count := range server.Counts().Outcomes {
			if status, ofResource := statuses[outcome]; ofResource {
				told.ResourceRequests[strconv.Itoa(status)] += count
			} else {
				told.TokenRequests[outcome.String()] += count
			}
		}
		for _, request := range server.Requests() {
			if request.Problem != "" && request.Time.After(latest) {
				latest, told.LastProblem = request.Time, request.Problem
			}
		}
	}
	return told
}
