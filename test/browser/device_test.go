package browser

import (
	"regexp"
	"testing"

	"github.com/tokensync/tokensync/internal/plugin/cli"
	"github.com/tokensync/tokensync/test/eventually"
)

// shownPage is where the status of a credential has a person enter its code.
var shownPage = regexp.MustCompile(`\(or open (\S+)\)`)

// showsPage declares a credential, and waits until it shows a page.
func (s *stage) showsPage(t *testing.T, name string) string {
	t.Helper()
	s.apply(t, named(certified, name, deviceGrant))
	var page string
	eventually.Holds(t, "the status shows a code", func() bool {
		if shown := shownPage.FindStringSubmatch(s.ready(t, name).Message); shown != nil {
			page = shown[1]
		}
		return page != ""
	})
	return page
}

// confirm says that the code on the page is the person's, who then signs in and consents.
func (p *tab) confirm() {
	p.t.Helper()
	p.press(`button[form="op.deviceConfirmForm"][autofocus]`)
	p.signIn()
	p.consent()
	p.sees("Sign-in Success")
}

// entersTheCode takes the page off the status: the plugin is not needed.
func entersTheCode(t *testing.T, s *stage) {
	t.Helper()
	url := s.showsPage(t, "device")
	page := s.newTab(t)
	page.open(url)
	page.confirm()
	eventually.Holds(t, "there is a token", func() bool { return s.token(t, "device") != "" })
	s.lives(t, "device")
}

// entersThePluginsCode logs in where the browser cannot come back to the plugin.
func entersThePluginsCode(t *testing.T, s *stage) {
	t.Helper()
	login, page := s.begin(t, certified, "remote", "--device")
	page.confirm()
	login.ends(cli.ExitOK, `the Secret "remote" holds a good token`)
	s.lives(t, "remote")
}

// declinesTheCode says that the code is not the person's.
func declinesTheCode(t *testing.T, s *stage) {
	t.Helper()
	login, page := s.begin(t, certified, "stranger", "--device")
	page.press(`button[name=abort]`)
	login.ends(cli.ExitNotReady, "access_denied")
	s.waits(t, "stranger")
}
