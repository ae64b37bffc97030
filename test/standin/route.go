package standin

import (
	"net/http"
	"strings"
)

// task is what a request wants of Synqly.
type task uint8

const (
	nothing task = iota
	// minting an integration token.
	minting
	// refreshing, rotating and resetting an organization token, each of which
	// issues a pair.
	refreshing
	rotating
	resetting
	// listing, looking at and deleting organization tokens, and deleting what is
	// left of the pair before.
	listing
	looking
	deleting
	retiring
)

// route is where a request to Synqly goes.
type route struct {
	does task
	// method is what it should come by.
	method string
	// client is whom it is counted for: an account with an integration, or the id
	// of an organization token.
	client string
	// owner is that of the organization token where the path names one.
	owner string
}

// issues says whether new pairs come of it.
func (r route) issues() bool {
	return r.does == refreshing || r.does == rotating || r.does == resetting
}

// synqlyRoute reads the path of a request. What is nothing is not found.
func synqlyRoute(r *http.Request) route {
	if r.URL.Path+"/" == synqlyTokens && r.Method == http.MethodGet {
		return route{does: listing, method: http.MethodGet}
	}
	rest, ok := strings.CutPrefix(r.URL.Path, synqlyTokens)
	parts := strings.Split(rest, "/")
	if !ok || parts[0] == "" {
		return route{}
	}
	switch last := parts[len(parts)-1]; {
	case len(parts) == 1 && r.Method == http.MethodDelete:
		return route{does: deleting, method: http.MethodDelete, client: parts[0]}
	case len(parts) == 2 && last == "refresh":
		return route{does: refreshing, method: http.MethodPut, client: parts[0]}
	case len(parts) == 2 && last == "secondary":
		return route{does: retiring, method: http.MethodDelete, client: parts[0]}
	case len(parts) == 2 && last == "info":
		return route{does: looking, method: http.MethodGet, client: parts[0]}
	case len(parts) == 2:
		return route{does: minting, method: http.MethodPost, client: rest}
	case len(parts) == 3 && last == "rotate":
		return route{does: rotating, method: http.MethodPut, client: parts[1], owner: parts[0]}
	case len(parts) == 3 && last == "reset":
		return route{does: resetting, method: http.MethodPut, client: parts[1], owner: parts[0]}
	}
	return route{}
}
