package auth

import (
	"context"
	"regexp"
	"slices"
	"time"

	"pakhus/internal/registry"
)

// Scopes of personal access tokens.
const (
	ScopeAPI     = "api"      // everything that the user may do
	ScopeReadAPI = "read_api" // reading only
)

// sessionLife is how long a token made by a login lives.
const sessionLife = 30 * 24 * time.Hour

func hasScope(scopes []string, scope string) bool { return slices.Contains(scopes, scope) }

// usernames are GitLab's: they appear in URLs.
var usernames = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}$`)

// NewUser says what user to make.
type NewUser struct {
	Username, Name, Email string
	Password              Secret // empty: no password sign-in
	Admin                 bool
}

// CreateUser makes a user; a taken name is Conflict.
func (s *Service) CreateUser(ctx context.Context, n NewUser, by registry.Actor) (User, error) {
	if !usernames.MatchString(n.Username) {
		return User{}, registry.Errorf(registry.Invalid, "a user name has letters, digits, '_', '-' and '.', and begins with a letter, digit or '_'")
	}
	u := User{Username: n.Username, Name: n.Name, Email: n.Email, Admin: n.Admin, CreatedAt: s.clock()}
	if u.Name == "" {
		u.Name = u.Username
	}
	if n.Password.Reveal() != "" {
		hash, err := hashPassword(n.Password)
		if err != nil {
			return User{}, err
		}
		u.PasswordHash = hash
	}
	return s.tokens.CreateUser(ctx, u, by)
}

// EnsureAdmin makes the user admin with a random password when there is no user
// at all, and gives that password; made is false when there are users.
func (s *Service) EnsureAdmin(ctx context.Context, by registry.Actor) (password Secret, made bool, err error) {
	_, total, err := s.tokens.ListUsers(ctx, registry.Page{Number: 1, Size: 1})
	if err != nil || total > 0 {
		return Secret{}, false, err
	}
	if password, err = mint(""); err != nil {
		return Secret{}, false, err
	}
	_, err = s.CreateUser(ctx, NewUser{Username: "admin", Name: "Administrator", Password: password, Admin: true}, by)
	if registry.KindOf(err) == registry.Conflict { // another replica was first
		return Secret{}, false, nil
	}
	return password, err == nil, err
}

// FindUser gives a user by name, without regard to case.
func (s *Service) FindUser(ctx context.Context, username string) (User, error) {
	return s.tokens.FindUserByName(ctx, username)
}

// FindUserByID gives a user by id.
func (s *Service) FindUserByID(ctx context.Context, id int64) (User, error) {
	return s.tokens.FindUser(ctx, id)
}

// ListUsers lists users by id.
func (s *Service) ListUsers(ctx context.Context, page registry.Page) ([]User, int64, error) {
	return s.tokens.ListUsers(ctx, page)
}

// SetPassword changes a user's password; sessions end with it.
func (s *Service) SetPassword(ctx context.Context, username string, password Secret, by registry.Actor) (User, error) {
	u, err := s.tokens.FindUserByName(ctx, username)
	if err != nil {
		return User{}, err
	}
	if u.PasswordHash, err = hashPassword(password); err != nil {
		return User{}, err
	}
	return s.tokens.UpdateUser(ctx, u, by)
}

// SetBlocked blocks a user, whose credentials then stop working, or unblocks.
func (s *Service) SetBlocked(ctx context.Context, username string, blocked bool, by registry.Actor) (User, error) {
	u, err := s.tokens.FindUserByName(ctx, username)
	if err != nil {
		return User{}, err
	}
	u.BlockedAt = time.Time{}
	if blocked {
		u.BlockedAt = s.clock()
	}
	return s.tokens.UpdateUser(ctx, u, by)
}

// CreatePersonalToken makes a token that acts as the user, and gives its secret.
func (s *Service) CreatePersonalToken(ctx context.Context, userID int64, name string, scopes []string, expiresAt time.Time, by registry.Actor) (PersonalToken, Secret, error) {
	if name == "" || len(name) > 255 || hasControl(name) {
		return PersonalToken{}, Secret{}, registry.Errorf(registry.Invalid, "name is invalid: 1 to 255 characters")
	}
	if len(scopes) == 0 {
		return PersonalToken{}, Secret{}, registry.Errorf(registry.Invalid, "Scopes can't be blank")
	}
	for _, scope := range scopes {
		if scope != ScopeAPI && scope != ScopeReadAPI {
			return PersonalToken{}, Secret{}, registry.Errorf(registry.Invalid, "scope %q is not one of api, read_api", scope)
		}
	}
	return s.createPersonal(ctx, PersonalToken{UserID: userID, Name: name, Scopes: scopes, ExpiresAt: expiresAt}, by)
}

func (s *Service) createPersonal(ctx context.Context, t PersonalToken, by registry.Actor) (PersonalToken, Secret, error) {
	secret, err := mint(personalTokenPrefix)
	if err != nil {
		return PersonalToken{}, Secret{}, err
	}
	t.Digest, t.CreatedAt = secret.Digest(), s.clock()
	t, err = s.tokens.CreatePersonalToken(ctx, t, by)
	return t, secret, err
}

// FindPersonalToken gives a personal access token by id.
func (s *Service) FindPersonalToken(ctx context.Context, id int64) (PersonalToken, error) {
	return s.tokens.FindPersonalToken(ctx, id)
}

// ListPersonalTokens lists a user's tokens by id.
func (s *Service) ListPersonalTokens(ctx context.Context, userID int64, page registry.Page) ([]PersonalToken, int64, error) {
	return s.tokens.ListPersonalTokens(ctx, userID, page)
}

// RevokePersonalToken ends a personal access token.
func (s *Service) RevokePersonalToken(ctx context.Context, id int64, by registry.Actor) error {
	return s.tokens.RevokePersonalToken(ctx, id, s.clock(), by)
}

// RotatePersonalToken ends a token and makes one like it with a new secret.
func (s *Service) RotatePersonalToken(ctx context.Context, id int64, expiresAt time.Time, by registry.Actor) (PersonalToken, Secret, error) {
	old, err := s.tokens.FindPersonalToken(ctx, id)
	if err != nil {
		return PersonalToken{}, Secret{}, err
	}
	next, secret, err := s.createPersonal(ctx, PersonalToken{UserID: old.UserID, Name: old.Name, Scopes: old.Scopes, Session: old.Session, ExpiresAt: expiresAt}, by)
	if err != nil {
		return PersonalToken{}, Secret{}, err
	}
	return next, secret, s.RevokePersonalToken(ctx, id, by)
}

// Login turns a name and a password into a secret that works as a token. A
// token sent as the password is handed back as it is, so that npm's login works
// with deploy tokens; a user's password makes a session. Anything else is
// Unauthenticated, after the same work.
func (s *Service) Login(ctx context.Context, username string, password Secret) (Secret, *Identity, error) {
	if password.Reveal() == "" || len(password.Reveal()) > maxSecret {
		return Secret{}, nil, errLogin()
	}
	if password.plausible() {
		id, err := s.identities.Get(ctx, password.Digest(), func(ctx context.Context) (*Identity, error) { return s.load(ctx, password.Digest()) })
		if err != nil {
			return Secret{}, nil, err
		}
		if id != nil {
			id, err = s.Verify(ctx, Credential{Form: FormBasic, Secret: password})
			return password, id, err
		}
	}
	user, err := s.checkUser(ctx, username, password)
	if err != nil {
		return Secret{}, nil, err
	}
	t, secret, err := s.createPersonal(ctx, PersonalToken{
		UserID: user.ID, Name: "npm login", Scopes: []string{ScopeAPI}, Session: true, ExpiresAt: s.clock().Add(sessionLife),
	}, registry.Actor{Kind: "user", ID: user.ID, Name: user.Username})
	if err != nil {
		return Secret{}, nil, err
	}
	id, err := s.userIdentity(ctx, t)
	return secret, id, err
}

// decoyHash makes an unknown user cost as much as a known one (threats.md T13).
var decoyHash = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

func (s *Service) checkUser(ctx context.Context, username string, password Secret) (User, error) {
	select {
	case s.passwords <- struct{}{}:
		defer func() { <-s.passwords }()
	case <-ctx.Done():
		return User{}, ctx.Err()
	}
	user, err := s.tokens.FindUserByName(ctx, username)
	if err != nil && registry.KindOf(err) != registry.NotFound {
		return User{}, err
	}
	hash := user.PasswordHash
	if err != nil || hash == "" {
		hash = decoyHash
	}
	if !checkPassword(hash, password) || err != nil || !user.BlockedAt.IsZero() {
		s.onRefusal("unknown")
		return User{}, errLogin()
	}
	return user, nil
}

func errLogin() error {
	return registry.Errorf(registry.Unauthenticated, "401 Unauthorized - the user name or password is wrong")
}

// Logout revokes the session that the identity came with. Other credentials
// live on: a deploy token is shared, and its holder is not whoever logs out.
func (s *Service) Logout(ctx context.Context, id *Identity) error {
	if id.Kind != UserIdentity {
		return nil
	}
	t, err := s.tokens.FindPersonalToken(ctx, id.PersonalID)
	if err != nil || !t.Session {
		return err
	}
	return s.RevokePersonalToken(ctx, t.ID, id.Actor())
}

// SetMember gives a user a role in a project or group.
func (s *Service) SetMember(ctx context.Context, username string, at registry.Span, role Role, by registry.Actor) error {
	u, err := s.tokens.FindUserByName(ctx, username)
	if err != nil {
		return err
	}
	return s.tokens.SaveMembership(ctx, Membership{UserID: u.ID, GroupID: at.GroupID, ProjectID: at.ProjectID, Role: role, CreatedAt: s.clock()}, by)
}

// RemoveMember takes a user's role in a project or group away.
func (s *Service) RemoveMember(ctx context.Context, username string, at registry.Span, by registry.Actor) error {
	u, err := s.tokens.FindUserByName(ctx, username)
	if err != nil {
		return err
	}
	return s.tokens.DeleteMembership(ctx, Membership{UserID: u.ID, GroupID: at.GroupID, ProjectID: at.ProjectID}, by)
}

// ListMembers gives the members made for a project or group itself.
func (s *Service) ListMembers(ctx context.Context, at registry.Span) ([]Membership, error) {
	return s.tokens.ListMembers(ctx, at)
}
