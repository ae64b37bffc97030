package standin

import (
	"html"
	"net/http"
	"strconv"
)

// decision is what a person has clicked.
type decision uint8

const (
	undecided decision = iota
	allowed
	denied
)

// decide reads the decision from a form of ours.
func decide(w http.ResponseWriter, r *http.Request) decision {
	r.Body = http.MaxBytesReader(w, r.Body, maximumBody)
	switch r.PostFormValue("decision") {
	case "allow":
		return allowed
	case "deny":
		return denied
	default:
		return undecided
	}
}

// buttons are those that a person clicks.
const buttons = `<button id="allow" name="decision" value="allow">Allow</button>` +
	`<button id="deny" name="decision" value="deny">Deny</button>`

// show answers a page for a person. title is text, body is HTML.
func (s *Server) show(w http.ResponseWriter, status int, title, body string) {
	s.total.outcomes[Shown].Add(1)
	title = html.EscapeString(title)
	text := "<!DOCTYPE html>\n" + `<html lang="en"><head><meta charset="utf-8"><title>` + title + "</title></head>" +
		"<body><h1>" + title + "</h1>" + body + "</body></html>\n"
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	s.date(w.Header())
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // the person may be gone
}

// isPage says whether the method is one that a browser uses on a form, and refuses
// any other.
func isPage(w http.ResponseWriter, r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
		return true
	}
	w.Header().Set("Allow", "GET, HEAD, POST")
	http.Error(w, "use GET or POST", http.StatusMethodNotAllowed)
	return false
}
