package auth

import (
	"context"
	"time"

	"pakhus/internal/coherent"
	"pakhus/internal/registry"
)

// Sealer hides bytes that must be readable again, under the instance's key.
type Sealer interface {
	Seal(ctx context.Context, plain []byte) ([]byte, error)
	Open(ctx context.Context, sealed []byte) ([]byte, error)
}

// Options set a Service up; the zero value works, without sealing.
type Options struct {
	Clock func() time.Time // time.Now when nil
	// Sealer keeps the secrets that CI variables hand out; without one such
	// tokens cannot be made.
	Sealer Sealer
	// CacheSize bounds the cache of verified identities, in bytes; 8 MiB when 0.
	CacheSize uint64
	// OnRefusal is told why a credential was refused, for metrics: "unknown",
	// "revoked", "expired", "malformed", "conflict". May be nil.
	OnRefusal func(reason string)
	// OnLookup is told of hits and misses of the identity cache. May be nil.
	OnLookup func(hit bool)
}

// Service makes, finds, verifies and revokes credentials.
type Service struct {
	tokens     Tokens
	clock      func() time.Time
	sealer     Sealer
	onRefusal  func(string)
	identities *coherent.Cache[Digest, *Identity]
	passwords  chan struct{} // bounds how many passwords are hashed at once
	touches    touches
}

// identityWeight is about what a cached identity takes, in bytes.
const identityWeight = 512

// New makes a Service over the tokens of a database.
func New(tokens Tokens, o Options) *Service {
	s := &Service{tokens: tokens, clock: o.Clock, sealer: o.Sealer, onRefusal: o.OnRefusal, passwords: make(chan struct{}, 2)}
	if s.clock == nil {
		s.clock = time.Now
	}
	if s.onRefusal == nil {
		s.onRefusal = func(string) {}
	}
	size := o.CacheSize
	if size == 0 {
		size = 8 << 20
	}
	s.identities = coherent.New(coherent.Options[Digest, *Identity]{
		MaxWeight: size,
		Weigh:     func(Digest, *Identity) uint32 { return identityWeight },
		Keep:      keepIdentity,
		OnLookup:  o.OnLookup,
	})
	return s
}

// keepIdentity bounds how long a look-up is believed. Changes are announced, so
// this only bounds what noise may occupy.
func keepIdentity(id *Identity) time.Duration {
	if id == nil {
		return 10 * time.Second
	}
	return time.Hour
}

// Forget drops cached identities when tokens, users or memberships changed. It
// makes the Service a registry.Listener.
func (s *Service) Forget(changes []registry.Change) {
	for _, c := range changes {
		if c.Topic == registry.TopicAccess {
			s.identities.ForgetAll()
			return
		}
	}
}

// SetLive bypasses the cache while changes of others are not heard of.
func (s *Service) SetLive(live bool) { s.identities.SetLive(live) }

// Identify verifies the credentials of a request. None is the anonymous
// identity; any that is unknown, revoked, expired or blocked is Unauthenticated
// with a text that says what was presented.
func (s *Service) Identify(ctx context.Context, credentials []Credential) (*Identity, error) {
	if len(credentials) == 0 {
		return &Identity{}, nil
	}
	var first *Identity
	for _, c := range credentials {
		id, err := s.Verify(ctx, c)
		if err != nil {
			return nil, err
		}
		if first == nil {
			first = id
		}
	}
	return first, nil
}

// Verify verifies one credential completely.
func (s *Service) Verify(ctx context.Context, c Credential) (*Identity, error) {
	digest := c.Secret.Digest()
	id, kept := s.identities.Kept(digest)
	if !kept && !c.Secret.plausible() {
		s.onRefusal("malformed")
		return nil, errRefused(c, "is not a token of this registry: it has a typing error")
	}
	var err error
	if !kept {
		id, err = s.identities.Get(ctx, digest, func(ctx context.Context) (*Identity, error) { return s.load(ctx, digest) })
	}
	switch {
	case err != nil:
		return nil, err
	case id == nil:
		s.onRefusal("unknown")
		if c.Username == jobTokenUser {
			return nil, errJobToken()
		}
		return nil, errRefused(c, "is unknown or was revoked")
	case !id.ExpiresAt.IsZero() && !s.clock().Before(id.ExpiresAt):
		s.onRefusal("expired")
		return nil, errRefused(c, "expired")
	}
	s.touches.note(id, s.clock())
	return id, nil
}

func errRefused(c Credential, why string) error {
	return registry.Errorf(registry.Unauthenticated, "401 Unauthorized - the credential sent as %s %s", c.Form, why)
}

// load finds the identity of a secret; nil when there is none that is valid.
func (s *Service) load(ctx context.Context, digest Digest) (*Identity, error) {
	token, err := s.tokens.FindDeployTokenByDigest(ctx, digest)
	if err == nil {
		return deployTokenIdentity(token), nil
	}
	if registry.KindOf(err) != registry.NotFound {
		return nil, err
	}
	personal, err := s.tokens.FindPersonalTokenByDigest(ctx, digest)
	if err == nil {
		return s.userIdentity(ctx, personal)
	}
	if registry.KindOf(err) != registry.NotFound {
		return nil, err
	}
	return nil, nil
}

func deployTokenIdentity(t DeployToken) *Identity {
	if !t.RevokedAt.IsZero() {
		return nil
	}
	id := &Identity{
		Kind: DeployTokenIdentity, Name: t.EffectiveUsername(), TokenID: t.ID, Scopes: t.Scopes,
		ProjectID: t.ProjectID, GroupID: t.GroupID, tokenName: t.Name, ExpiresAt: t.ExpiresAt,
		lastTouchSlot: newTouchSlot(t.LastUsedAt),
	}
	id.logID = id.LogID()
	return id
}

// userIdentity is the user behind a personal access token, with the roles of
// all memberships; nil when token or user may not act.
func (s *Service) userIdentity(ctx context.Context, t PersonalToken) (*Identity, error) {
	if !t.RevokedAt.IsZero() {
		return nil, nil
	}
	user, err := s.tokens.FindUser(ctx, t.UserID)
	if err != nil {
		if registry.KindOf(err) == registry.NotFound {
			return nil, nil
		}
		return nil, err
	}
	if !user.BlockedAt.IsZero() {
		return nil, nil
	}
	memberships, err := s.tokens.ListMemberships(ctx, user.ID)
	if err != nil {
		return nil, err
	}
	id := &Identity{
		Kind: UserIdentity, Name: user.Username, Email: user.Email, UserID: user.ID, Admin: user.Admin, PersonalID: t.ID,
		ReadOnly: !hasScope(t.Scopes, ScopeAPI), tokenName: t.Name, ExpiresAt: t.ExpiresAt,
		groupRoles: map[int64]Role{}, projectRoles: map[int64]Role{}, lastTouchSlot: newTouchSlot(t.LastUsedAt),
	}
	for _, m := range memberships {
		if m.GroupID != 0 {
			id.groupRoles[m.GroupID] = m.Role
		} else {
			id.projectRoles[m.ProjectID] = m.Role
		}
	}
	id.logID = id.LogID()
	return id, nil
}
