package grant_test

import "fmt"

// outcome is what a provider answers.
type outcome string

const (
	given   outcome = "given"
	refused outcome = "refused"
	broken  outcome = "broken" // A 500, which says nothing.
)

// issued is a refresh token that the provider has given out.
type issued struct {
	family, number int
	// uses counts how often it was taken, and followed says that a successor was kept.
	uses     int
	followed bool
}

// provider rotates refresh tokens, and ends a family in which one is used that it does
// not take any more.
type provider struct {
	// grace is how often a refresh token is taken as long as its successor was not used.
	grace int
	// typo is what it answers to what it has not given out.
	typo     outcome
	tokens   map[string]*issued
	used     map[int]int // the highest number that was taken, by family
	revoked  map[int]bool
	codes    map[string]int
	families int
	// wrong is the first thing that nobody may do, and stale the first that is wrong
	// unless somebody alive was taken for dead.
	wrong, stale string
}

func newProvider(grace int, typo outcome) *provider {
	return &provider{
		grace: grace, typo: typo,
		tokens: map[string]*issued{}, used: map[int]int{}, revoked: map[int]bool{}, codes: map[string]int{},
	}
}

func (p *provider) blamef(format string, values ...any) {
	if p.wrong == "" {
		p.wrong = fmt.Sprintf(format, values...)
	}
}

// begins begins a family.
func (p *provider) begins() string {
	p.families++
	return p.issue(p.families, 0)
}

func (p *provider) issue(family, number int) string {
	value := fmt.Sprintf("F%d.%d.%d", family, number, len(p.tokens))
	p.tokens[value] = &issued{family: family, number: number}
	return value
}

// takes takes a refresh token and answers its successor.
func (p *provider) takes(value string) (outcome, string) {
	token := p.tokens[value]
	switch {
	case token == nil:
		return p.typo, ""
	case token.followed:
		p.stale = value + " was sent, whose successor was kept"
	case token.number < p.used[token.family]:
		p.stale = value + " was sent, which is older than the one before"
	case !p.revoked[token.family] && token.uses < p.grace:
		token.uses++
		p.used[token.family] = token.number
		return given, p.issue(token.family, token.number+1)
	}
	p.revoked[token.family] = true
	return refused, ""
}

// redeems takes a code and answers the first refresh token.
func (p *provider) redeems(code string) (outcome, string) {
	if p.codes[code]++; p.codes[code] > 1 {
		p.blamef("%s was sent twice", code)
		return refused, ""
	}
	return given, p.begins()
}
