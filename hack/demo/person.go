package main

import (
	"context"
	"fmt"
	"regexp"
	"time"
)

const (
	// asking is the credential that a person has to consent to.
	asking = "web/calendar"
	// hesitation is how long the person takes, as a part of the time that there is.
	hesitation = 10
)

// shownCode is how a credential shows the code that a person is to enter.
var shownCode = regexp.MustCompile(`enter the code (\S+) `)

// codeIn is the code that a message shows, empty where it shows none.
func codeIn(message string) string {
	if shown := shownCode.FindStringSubmatch(message); shown != nil {
		return shown[1]
	}
	return ""
}

// tellPerson plays the person who enters a code at the provider.
func (d *demo) tellPerson(ctx context.Context) error {
	end := d.board.began.Add(d.length)
	if !d.until(ctx, end, func() bool { return d.board.row(asking).code != "" }) {
		return nil
	}
	r := d.board.row(asking)
	d.board.tellf("%s waits until somebody enters the code %s at %s", asking, r.code, r.provider.name)
	if !d.until(ctx, time.Now().Add(d.length/hesitation), nil) {
		return nil
	}
	if !r.provider.server.ApproveDevice(r.code) {
		return fmt.Errorf("%s does not take the code %s of %s", r.provider.name, r.code, asking)
	}
	entered := time.Now()
	d.board.tellf("somebody enters the code")
	if d.until(ctx, end, func() bool { return d.board.row(asking).good }) {
		d.board.tellf("%s has its first token, %s later; no person is needed from now on", asking, roughly(time.Since(entered)))
	}
	return nil
}
