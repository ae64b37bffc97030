package grant

import (
	"time"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/redact"
)

// Action is what is to be done with a grant.
type Action string

// The actions.
const (
	// Nothing: the token in the target is as good as can be.
	Nothing Action = "Nothing"
	// Serve publishes the token that the chain holds.
	Serve Action = "Serve"
	// Send sends what the step names, after an attempt was written down.
	Send Action = "Send"
	// Adopt makes a chain of the tokens of a login.
	Adopt Action = "Adopt"
	// Bind makes the grant of another credential, or cluster, this one's.
	Bind Action = "Bind"
	// Discard drops a login that is of no use.
	Discard Action = "Discard"
	// Authorize asks for a code for a person to enter (RFC 8628).
	Authorize Action = "Authorize"
	// Poll asks whether the person has entered it.
	Poll Action = "Poll"
	// Await waits for another process.
	Await Action = "Await"
	// Ask waits for a person.
	Ask Action = "Ask"
)

// Need is why a person is needed.
type Need string

// The needs.
const (
	// NeedFirst: there never was a grant.
	NeedFirst Need = "First"
	// NeedOtherBootstrap: the value was used before, and will not be used again.
	NeedOtherBootstrap Need = "OtherBootstrap"
	// NeedUsable: the provider never took the refresh token to begin with.
	NeedUsable Need = "Usable"
	// NeedRefused: the provider has refused the refresh token.
	NeedRefused Need = "Refused"
	// NeedGone: the Secret of the grant is gone, and with it the refresh token.
	NeedGone Need = "Gone"
	// NeedBinding: the grant belongs to another credential or cluster.
	NeedBinding Need = "Binding"
	// NeedConsent: the spec asks for more, or less, than the person has consented to.
	NeedConsent Need = "Consent"
	// NeedClient: the client is not the one that the refresh token was given to.
	NeedClient Need = "Client"
	// NeedAgain: the provider gave no refresh token, and the access token ends.
	NeedAgain Need = "Again"
	// NeedCode: the code of a login was not exchanged in time, or its answer was lost.
	NeedCode Need = "Code"
	// NeedDevice: nobody has entered the codes of the device grant, or somebody has
	// declined.
	NeedDevice Need = "Device"
)

// View is all that the next step follows from.
type View struct {
	// Record is nil where there is no Secret.
	Record *Record
	// Cluster and Credential are the UIDs of these; the former is empty where it is not
	// known. Bound says that a person wants a grant of another one to be used.
	Cluster, Credential string
	Bound               bool
	// KnownChain and KnownBootstrap are what the credential's status remembers.
	KnownChain, KnownBootstrap string
	// Bootstrap is the value that a person has put there to begin with, empty for none.
	Bootstrap redact.String
	// ByDevice says that the grant begins with a code for a person to enter.
	ByDevice bool
	// Consent is a hash of what a person is asked to consent to.
	Consent string

	// InputsHash is that of the spec. Kept is the life of the chain's token, zero where
	// it has none. Holds says that the target holds a token for that spec, and Held how
	// long it lives.
	InputsHash string
	Kept       lifetime.Token
	Holds      bool
	Held       lifetime.Token

	// Wanted says that a new token is due, Insists that a person has asked for one, and
	// Corrected that a person has changed who asks, or what is asked for.
	Wanted, Insists, Corrected bool
	// Orphaned says that the owner of the open attempt is this process, or dead.
	// TakeOverAt is when it is taken for dead.
	Orphaned   bool
	TakeOverAt time.Time
	Now        time.Time
}

// Step is what to do next.
type Step struct {
	Action Action
	// Kind is what to send, and Value the bootstrap value that makes a new chain or
	// candidate of it, empty where what is kept is sent.
	Kind  Kind
	Value redact.String
	// Open says that it was sent before, and that the answer never came; Since is when it
	// was sent first.
	Open  bool
	Since time.Time
	// Count is which code in a row is asked for.
	Count int
	// Need is why a person is asked.
	Need Need
	// At is when to look again, zero where nothing changes by itself.
	At time.Time
}

// Next says what to do with a grant.
func Next(v View) Step {
	r := v.Record
	switch {
	case r == nil && v.KnownChain != "" && !v.ByDevice && !v.newBootstrap():
		return Step{Action: Ask, Need: NeedGone}
	case r == nil:
		return v.begin()
	case r.Credential == "", !v.mine() && v.Bound:
		return Step{Action: Bind}
	case !v.mine() && !v.freshLogin():
		return Step{Action: Ask, Need: NeedBinding}
	case v.servable():
		return Step{Action: Serve}
	case r.Attempt != nil && !v.Orphaned && v.Now.Before(v.TakeOverAt):
		return Step{Action: Await, At: v.TakeOverAt}
	case r.Login != nil:
		return v.login()
	case v.newBootstrap():
		return v.bootstrap()
	}
	return v.carryOn()
}

// mine says that the record belongs to this credential in this cluster.
func (v View) mine() bool { return v.Record.belongsTo(v.Cluster, v.Credential) }

// servable says that the chain has a token that is better than what the target holds.
// A login goes before it.
func (v View) servable() bool {
	c := v.Record.Chain
	if v.Record.Login != nil || c == nil || c.Token == nil || c.Token.InputsHash != v.InputsHash || v.Kept.IssuedAt.IsZero() {
		return false
	}
	if v.Kept.Expired(v.Now) {
		return false
	}
	return !v.Holds || v.Held.Expired(v.Now) || v.Kept.IssuedAt.Truncate(time.Second).After(v.Held.IssuedAt.Truncate(time.Second))
}

// newBootstrap says that there is a value to begin with which was never used.
func (v View) newBootstrap() bool {
	if v.Bootstrap.IsEmpty() {
		return false
	}
	clusters := []string{v.Cluster, ""}
	if v.Record != nil {
		clusters = append(append(clusters, v.Record.Cluster), v.Record.Former...)
	}
	for _, cluster := range clusters {
		hash := Hash(cluster, v.Bootstrap)
		if hash == v.KnownBootstrap || v.Record != nil && v.Record.wasUsed(hash) {
			return false
		}
	}
	return true
}

// bootstrap sends a new value: beside the chain where that is alive.
func (v View) bootstrap() Step {
	if v.Record != nil && v.Record.Chain.Alive() {
		return Step{Action: Send, Kind: Try, Value: v.Bootstrap}
	}
	return Step{Action: Send, Kind: Refresh, Value: v.Bootstrap}
}

// begin begins a grant where there is none.
func (v View) begin() Step {
	switch {
	case v.newBootstrap():
		return v.bootstrap()
	case v.ByDevice:
		return v.device()
	case !v.Bootstrap.IsEmpty():
		return Step{Action: Ask, Need: NeedOtherBootstrap}
	}
	return Step{Action: Ask, Need: NeedFirst}
}

// carryOn goes on with the chain, and with the candidate beside it. They take turns: a
// provider that has no answer to one of them must not keep the other waiting.
func (v View) carryOn() Step {
	step, c := v.chain(), v.Record.Candidate
	if c == nil {
		return step
	}
	open := v.open(Try, c.Hash)
	unanswered := open || !c.Unanswered.IsZero()
	turn := !c.Failed || unanswered || step.Action != Nothing
	if step.Action == Send {
		turn = !c.Failed && !open
	}
	if turn {
		return Step{Action: Send, Kind: Try, Open: unanswered, Since: v.since(open, c.Unanswered)}
	}
	return step
}

// open says that the open attempt is at a certain chain or candidate.
func (v View) open(kind Kind, of string) bool {
	a := v.Record.Attempt
	return a != nil && a.Kind == kind && a.Chain == of
}

// since is when what is open was sent first.
func (v View) since(open bool, unanswered time.Time) time.Time {
	if open {
		return v.Record.Attempt.Since
	}
	return unanswered
}

// chain goes on with the chain alone.
func (v View) chain() Step {
	c := v.Record.Chain
	if c == nil {
		return v.begin()
	}
	open := v.open(Refresh, c.ID)
	switch {
	case c.Lost:
		return v.lost()
	case c.Consent != "" && c.Consent != v.Consent && !open:
		return v.again(NeedConsent)
	case c.RefreshToken.IsEmpty() && (v.Wanted || v.pending()):
		return v.again(NeedAgain)
	case !c.RefreshToken.IsEmpty() && (v.Wanted || open || !c.Unanswered.IsZero()):
		return Step{Action: Send, Kind: Refresh, Open: open || !c.Unanswered.IsZero(), Since: v.since(open, c.Unanswered)}
	}
	return Step{Action: Nothing}
}

// lost goes on where the provider has refused the refresh token.
func (v View) lost() Step {
	switch {
	case v.ByDevice:
		return v.device()
	case v.Insists, v.Corrected && v.Record.Chain.Generation == 0:
		// What has never been taken may have been sent by the wrong client.
		return Step{Action: Send, Kind: Refresh}
	case v.Record.Chain.Generation == 0:
		return Step{Action: Ask, Need: NeedUsable}
	}
	return Step{Action: Ask, Need: NeedRefused}
}

// again has a person begin anew.
func (v View) again(need Need) Step {
	if v.ByDevice {
		return v.device()
	}
	return Step{Action: Ask, Need: need}
}
