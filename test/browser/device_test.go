package browser

import (
	"regexp"
	"testing"

	"github.com/tokensync/tokensync/internal/plugin/cli"
)

// shownPage is where the status of a credential has a person enter its code.
var shownPage = regexp.MustCompile(`\(or open (\S+)\)`)

// showsPage declares a credential, and waits until it shows a page.
func (s *stage) showsPage(t *testing.T, name string) string {
	t.Helper()
	s.apply(t, named(certified, name, deviceGrant))
	var page string
	eventually(t, "the status shows a code", func() bool {
		if shown := shownPage.FindStringSubmatch(s.ready(t, name).Message); shown != nil {
			page = shown[1]
		}
		return page != ""
	})
	return page
}

// entersTheCode takes the page off the status: the plugin is not needed.
func entersTheCode(t *testing.T, s *stage) {
	t.Helper()
	url := s.showsPage(t, "device")
	page := s.newTab(t)
	page.open(url)
	page.press(`button[form="op.deviceConfirmForm"][autofocus]`)
	page.signIn()
	page.consent()
	page.sees("Sign-in Success")
	eventually(t, "there is a token", func() bool { return s.token(t, "device") != "" })
	s.lives(t, "device")
}

// entersThePluginsCode logs in where the browser cannot come back to the plugin.
func entersThePluginsCode(t *testing.T, s *stage) {
	t.Helper()
	s.declare(t, certified, "remote")
	login := s.login(t, "remote", "--device")
	page := s.newTab(t)
	page.open(login.page())
	page.press(`button[form="op.deviceConfirmForm"][autofocus]`)
	page.signIn()
	page.consent()
	page.sees("Sign-in Success")
	login.ends(cli.ExitOK, `the Secret "remote" holds a good token`)
	s.lives(t, "remote")
}

// declinesTheCode says that the code is not the person's.
func declinesTheCode(t *testing.T, s *stage) {
	t.Helper()
	s.declare(t, certified, "stranger")
	login := s.login(t, "stranger", "--device")
	page := s.newTab(t)
	page.open(login.page())
	page.press(`button[name=abort]`)
	login.ends(cli.ExitNotReady, "access_denied")
	s.waits(t, "stranger")
}
