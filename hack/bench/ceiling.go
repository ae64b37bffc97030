package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// ceilingCredentials are enough to know the rate by.
const ceilingCredentials = 2000

// The bodies are what the operator would write, but for a made-up token.
const (
	secretBody = `{"apiVersion":"v1","kind":"Secret","type":"Opaque","metadata":{"name":%[1]q,"namespace":%[2]q,` +
		`"labels":{"app.kubernetes.io/managed-by":"tokensync","tokensync.dev/credential":%[1]q},` +
		`"annotations":{"tokensync.dev/issued-at":"2026-01-01T00:00:00Z","tokensync.dev/expires-at":"2026-01-01T01:00:00Z",` +
		`"tokensync.dev/inputs-hash":"00112233445566778899aabbccddeeff","tokensync.dev/data-hash":"00112233445566778899aabbccddeeff"}},` +
		`"data":{"access_token":"%[3]s","token_type":"QmVhcmVy","expires_at":"MjAyNi0wMS0wMVQwMDowMDowMFo=","scope":"cmVhZA=="}}`
	statusBody = `{"apiVersion":"tokensync.dev/v1alpha1","kind":"OAuthCredential","metadata":{"name":%[1]q,"namespace":%[2]q},` +
		`"status":{"observedGeneration":1,"secretName":%[1]q,"secretResourceVersion":"1","issuedAt":"2026-01-01T00:00:00Z",` +
		`"expiresAt":"2026-01-01T01:00:00Z","refreshAt":"2026-01-01T00:40:00Z","sources":[{"kind":"Secret","name":"client","resourceVersion":"1"}],` +
		`"conditions":[%[3]s,%[4]s,%[5]s]}}`
	conditionBody = `{"type":%q,"status":%q,"reason":"TokenIssued","message":"The Secret holds a good token",` +
		`"observedGeneration":1,"lastTransitionTime":"2026-01-01T00:00:00Z"}`
)

// measureCeiling writes what the operator would write, by a bare client, before
// there is an operator, and cleans up after itself.
func (b *bench) measureCeiling(ctx context.Context) error {
	n := min(b.options.n, ceilingCredentials)
	b.sayf("ceiling: make %d credentials", n)
	if err := b.createCredentials(ctx, "ceiling", n); err != nil {
		return err
	}
	b.sayf("ceiling: write a Secret and a status for each")
	token := strings.Repeat("dG9r", 32)
	ready, reconciling := fmt.Sprintf(conditionBody, "Ready", "True"), fmt.Sprintf(conditionBody, "Reconciling", "False")
	stalled := fmt.Sprintf(conditionBody, "Stalled", "False")
	began, machine := time.Now(), b.readMachine()
	err := b.forAll(ctx, n, func(ctx context.Context, i int) error {
		namespace, name := b.namespace("ceiling", i), name(i)
		const query = "?fieldManager=bench&force=true"
		if _, err := b.send(ctx, "PATCH", secretsPath(namespace)+"/"+name+query,
			fmt.Sprintf(secretBody, name, namespace, token)); err != nil {
			return err
		}
		_, err := b.send(ctx, "PATCH", credentialsPath(namespace)+"/"+name+"/status"+query,
			fmt.Sprintf(statusBody, name, namespace, ready, reconciling, stalled))
		return err
	})
	if err != nil {
		return err
	}
	b.report.ceiling = float64(n) / time.Since(began).Seconds()
	b.report.add(figure{Name: "ceiling: a bare client", Value: b.report.ceiling, Unit: "credentials/s"})
	b.report.work = b.reportSplit("ceiling", machine, float64(n))
	b.sayf("ceiling: %.0f credentials/s; clean up", b.report.ceiling)
	for i := range b.options.namespaces {
		for _, path := range []string{credentialsPath(b.namespace("ceiling", i)), secretsPath(b.namespace("ceiling", i))} {
			if _, err := b.send(ctx, "DELETE", path, ""); err != nil {
				return err
			}
		}
	}
	return nil
}
