package standin

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

const (
	defaultOrganizationTTL  = 24 * time.Hour
	defaultOrganizationEnds = 90 * 24 * time.Hour
	administrator           = "administrator"
)

// OrganizationOptions describe an organization token of Synqly. The zero value of every
// field is usable.
type OrganizationOptions struct {
	// OwnerID is the organization; org-1 when left out.
	OwnerID string
	// Name of the token.
	Name string
	// TTL is how long an access secret lives: 24 hours when left out, and a second at
	// least.
	TTL time.Duration
	// Ends is after how long the token ends, however often it is refreshed: 90 days
	// when left out.
	Ends time.Duration
	// PermissionSet is administrator when left out. Only an administrator may list,
	// rotate and reset tokens, and delete others.
	PermissionSet string
}

// OrganizationToken is an organization token as its owner gets it.
type OrganizationToken struct {
	// ID names the token and its family.
	ID string
	// OwnerID is the organization.
	OwnerID string
	// AccessSecret is the bearer of requests, RefreshSecret that of a refresh.
	AccessSecret, RefreshSecret string
}

// organization is what an organization token has beside its family.
type organization struct {
	name, ownerID, permissionSet string
	ttl, lasts                   time.Duration
	createdAt, updatedAt, ends   time.Time
	primary, secondary           *tokenPair
}

// tokenPair is an access secret with the refresh secret that came with it.
type tokenPair struct {
	serial          uint32
	access, refresh string
	accessExpiresAt time.Time
}

// holds says which pair a secret is of, by its serial number.
func (o *organization) holds(serial uint32) TokenState {
	switch {
	case o.primary.serial == serial:
		return TokenCurrent
	case o.secondary != nil && o.secondary.serial == serial:
		return TokenPrevious
	}
	return TokenStale
}

// MintOrganizationToken issues an organization token.
func (s *Server) MintOrganizationToken(options OrganizationOptions) OrganizationToken {
	s.grants.mu.Lock()
	defer s.grants.mu.Unlock()
	now, id := s.options.Clock(), newUUID()
	o := &organization{
		name: options.Name, ownerID: options.OwnerID, permissionSet: options.PermissionSet,
		ttl: options.TTL, lasts: options.Ends, createdAt: now,
	}
	if o.ownerID == "" {
		o.ownerID = "org-1"
	}
	if o.permissionSet == "" {
		o.permissionSet = administrator
	}
	if o.ttl <= 0 {
		o.ttl = defaultOrganizationTTL
	}
	if o.lasts <= 0 {
		o.lasts = defaultOrganizationEnds
	}
	o.ttl, o.ends = max(o.ttl, time.Second), now.Add(o.lasts)
	f := s.grants.found(&family{id: id, clientID: id, organization: o}, now)
	s.newPair(f, now)
	return OrganizationToken{ID: id, OwnerID: o.ownerID, AccessSecret: o.primary.access, RefreshSecret: o.primary.refresh}
}

// newPair gives an organization token another primary pair. The caller holds the lock.
func (s *Server) newPair(f *family, now time.Time) {
	o := f.organization
	expires := now.Add(o.ttl)
	if o.ends.Before(expires) {
		expires = o.ends
	}
	about := ticket{
		clientID: f.clientID, issuedAt: now, expiresAt: expires,
		family: f.id, generation: f.generation, serial: f.serial,
	}
	access := s.sealer.seal(about)
	about.kind, about.expiresAt = refreshKind, o.ends
	f.last = s.sealer.seal(about)
	o.primary = &tokenPair{serial: f.serial, access: access, refresh: f.last, accessExpiresAt: expires}
	o.updatedAt = now
}

// newUUID draws a UUID of version 4.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// The shapes of the wire.
type (
	secretShape struct {
		Secret      string           `json:"secret"`
		Expires     time.Time        `json:"expires"`
		Permissions permissionsShape `json:"permissions"`
	}
	permissionsShape struct {
		Resources     struct{} `json:"resources"`
		PermissionSet string   `json:"permission_set"`
	}
	pairShape struct {
		Access  secretShape `json:"access"`
		Refresh secretShape `json:"refresh"`
	}
	organizationShape struct {
		Name      string     `json:"name"`
		CreatedAt time.Time  `json:"created_at"`
		UpdatedAt time.Time  `json:"updated_at"`
		ID        string     `json:"id"`
		Fullname  string     `json:"fullname"`
		MemberID  string     `json:"member_id"`
		OwnerID   string     `json:"owner_id"`
		OwnerType string     `json:"owner_type"`
		Expires   time.Time  `json:"expires"`
		TokenTTL  string     `json:"token_ttl"`
		TokenType string     `json:"token_type"`
		Primary   pairShape  `json:"primary"`
		Secondary *pairShape `json:"secondary,omitempty"`
	}
)

// shape is how an organization token looks on the wire. Only whoever has just been
// given a pair is told secrets.
func (f *family) shape(secrets bool) organizationShape {
	o := f.organization
	shapeOf := func(p *tokenPair) pairShape {
		permissions := permissionsShape{PermissionSet: o.permissionSet}
		shape := pairShape{
			Access:  secretShape{Expires: p.accessExpiresAt.UTC(), Permissions: permissions},
			Refresh: secretShape{Expires: o.ends.UTC(), Permissions: permissions},
		}
		if secrets {
			shape.Access.Secret, shape.Refresh.Secret = p.access, p.refresh
		}
		return shape
	}
	shape := organizationShape{
		Name: o.name, CreatedAt: o.createdAt.UTC(), UpdatedAt: o.updatedAt.UTC(), ID: f.id, Fullname: o.name,
		MemberID: "c0ffee00-0000-4000-8000-000000000004", OwnerID: o.ownerID, OwnerType: "organization",
		Expires: o.ends.UTC(), TokenTTL: shortDuration(o.ttl), TokenType: "adhoc", Primary: shapeOf(o.primary),
	}
	if o.secondary != nil {
		secondary := shapeOf(o.secondary)
		shape.Secondary = &secondary
	}
	return shape
}

// result nests what is answered, as Synqly does.
func result(value any) []byte {
	body, err := json.Marshal(map[string]any{"result": value})
	if err != nil {
		panic(err) // the shapes encode
	}
	return body
}

// shortDuration names a duration by its largest unit, as in 24h, 10m and 90s.
func shortDuration(d time.Duration) string {
	for _, unit := range []struct {
		of   time.Duration
		name string
	}{{time.Hour, "h"}, {time.Minute, "m"}} {
		if d%unit.of == 0 {
			return strconv.FormatInt(int64(d/unit.of), 10) + unit.name
		}
	}
	return strconv.FormatInt(int64(d/time.Second), 10) + "s"
}
