package sidecar_test

import (
	"context"
	"slices"
	"testing"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/sidecar"
)

// setOf is a set with a token.
func setOf(token string) *sidecar.Set {
	set, _ := sidecar.Keys{Token: "access_token"}.Set(map[string][]byte{"access_token": []byte(token)}, lifetime.Token{})
	return set
}

// TestWhoIsSlowMissesTheOnesBetween, and meets none twice.
func TestWhoIsSlowMissesTheOnesBetween(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	current := sidecar.NewCurrent()
	if !current.Offer(setOf("one")) || current.Offer(setOf("one")) || current.Offer(nil) {
		t.Error("a set is new once, and nothing never")
	}
	var met []string
	for set := range current.All(ctx) {
		met = append(met, set.Token.Reveal())
		switch set.Token.Reveal() {
		case "one":
			current.Offer(setOf("two"))
			current.Offer(setOf("three"))
		case "three":
			current.Offer(setOf("three"))
			cancel()
		}
	}
	if want := []string{"one", "three"}; !slices.Equal(met, want) {
		t.Errorf("met %q, want %q", met, want)
	}
	for range current.All(t.Context()) {
		break // Whoever has enough does not go on.
	}
}
