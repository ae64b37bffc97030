package consent

import (
	"html/template"
	"net/http"

	"github.com/tokensync/tokensync/internal/redact"
)

// page is what the browser shows at the end. It loads nothing from anywhere.
const page = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>tokensync: {{.Title}}</title>
<style>
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 34rem; margin: 15vh auto; padding: 0 1.5rem; }
h1 { font-size: 1.4rem; font-weight: 600; }
.mark { color: {{if .Good}}#1a7f37{{else}}#cf222e{{end}}; }
p { overflow-wrap: anywhere; }
</style>
</head>
<body>
<h1><span class="mark">{{if .Good}}✓{{else}}✗{{end}}</span> {{.Title}}</h1>
<p>{{.Text}}</p>
<p>You may close this page and go back to the terminal.</p>
</body>
</html>
`

// writePage tells the person in the browser what came of the login.
func writePage(w http.ResponseWriter, o outcome) {
	content := struct {
		Good        bool
		Title, Text string
	}{Good: true, Title: "You are logged in", Text: o.note}
	status := http.StatusOK
	if o.err != nil {
		content.Good, content.Title, content.Text = false, "The login has not worked", redact.Message(o.err.Error())
		status = http.StatusBadRequest
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	header.Set("Referrer-Policy", "no-referrer") // The code is in the address.
	header.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	// A browser that has gone needs no page.
	_ = template.Must(template.New("page").Parse(page)).Execute(w, content)
}
