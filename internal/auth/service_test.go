package auth_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
	"pakhus/internal/store"
)

var by = registry.Actor{Kind: "command", Name: "test"}

// reversed seals by turning bytes around: enough to tell sealed from plain.
type reversed struct{}

func (reversed) Seal(_ context.Context, plain []byte) ([]byte, error) {
	sealed := slices.Clone(plain)
	slices.Reverse(sealed)
	return sealed, nil
}

func (r reversed) Open(ctx context.Context, sealed []byte) ([]byte, error) {
	return r.Seal(ctx, sealed)
}

type world struct {
	*auth.Service
	store    *store.Store
	project  registry.Project
	mu       sync.Mutex
	now      time.Time
	refusals map[string]int
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), refusals: map[string]int{}}
	var err error
	w.store, err = store.Open(t.Context(), store.Options{URL: "sqlite://" + filepath.Join(t.TempDir(), "registry.db"), Clock: w.clock})
	must(t, err)
	t.Cleanup(func() { must(t, w.store.Close()) })
	must(t, w.store.Migrate(t.Context()))
	w.Service = auth.New(w.store, auth.Options{Clock: w.clock, Sealer: reversed{}, OnRefusal: func(reason string) { w.refusals[reason]++ }})
	w.store.Subscribe(w.Service)
	packages := registry.New(w.store, nil, registry.Options{Clock: w.clock})
	for _, path := range []string{"acme", "acme/team"} {
		_, err = packages.CreateGroup(t.Context(), registry.NewGroup{FullPath: path}, by)
		must(t, err)
	}
	w.project, err = packages.CreateProject(t.Context(), registry.NewProject{FullPath: "acme/team/lib"}, by)
	must(t, err)
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) token(t *testing.T, n auth.NewDeployToken) (auth.DeployToken, auth.Secret) {
	t.Helper()
	if n.Name == "" {
		n.Name = "ci"
	}
	if n.Scopes == 0 {
		n.Scopes = auth.ReadPackageRegistry
	}
	if n.GroupID == 0 {
		n.ProjectID = w.project.ID
	}
	made, secret, err := w.CreateDeployToken(t.Context(), n, by)
	must(t, err)
	return made, secret
}

func (w *world) verify(t *testing.T, secret auth.Secret) (*auth.Identity, error) {
	t.Helper()
	return w.Verify(t.Context(), auth.Credential{Form: auth.FormBearer, Secret: secret})
}

func TestLifeOfADeployToken(t *testing.T) {
	w := newWorld(t)
	made, secret := w.token(t, auth.NewDeployToken{})
	id, err := w.verify(t, secret)
	must(t, err)
	if id.Name != "gitlab+deploy-token-1" || id.TokenID != made.ID || id.ProjectID != w.project.ID {
		t.Errorf("identity: %+v", id)
	}
	must(t, w.RevokeDeployToken(t.Context(), made.ID, by))
	if _, err := w.verify(t, secret); registry.KindOf(err) != registry.Unauthenticated {
		t.Errorf("after revocation: %v", err)
	}
	listed, total, err := w.ListDeployTokens(t.Context(), registry.Span{ProjectID: w.project.ID}, false, registry.Page{Number: 1, Size: 10})
	if err != nil || total != 1 || listed[0].RevokedAt.IsZero() {
		t.Errorf("a revoked token stays listed: %v, %d", err, total)
	}
	if w.refusals["unknown"] != 1 {
		t.Errorf("refusals: %v", w.refusals)
	}
}

// A token dies at its instant, also when its identity is cached, and a date
// means 00:00 UTC of that day.
func TestExpiry(t *testing.T) {
	w := newWorld(t)
	at, err := auth.ParseExpiry("2026-03-02")
	must(t, err)
	made, secret := w.token(t, auth.NewDeployToken{ExpiresAt: at})
	w.advance(12*time.Hour - time.Nanosecond)
	if _, err := w.verify(t, secret); err != nil || made.Expired(w.clock()) {
		t.Errorf("just before: %v", err)
	}
	w.advance(time.Nanosecond)
	if _, err := w.verify(t, secret); registry.KindOf(err) != registry.Unauthenticated || !made.Expired(w.clock()) {
		t.Errorf("at the instant: %v", err)
	}
	if w.refusals["expired"] != 1 {
		t.Errorf("refusals: %v", w.refusals)
	}
}

func TestParseExpiry(t *testing.T) {
	for text, want := range map[string]string{
		"":                          "0001-01-01T00:00:00Z",
		"2027-01-31":                "2027-01-31T00:00:00Z",
		"2027-01-31T10:00:00Z":      "2027-01-31T10:00:00Z",
		"2027-01-31T10:00:00+02:00": "2027-01-31T08:00:00Z",
		"2027-01-31T10:00:00.5Z":    "2027-01-31T10:00:00.5Z",
	} {
		got, err := auth.ParseExpiry(text)
		if err != nil || got.Format(time.RFC3339Nano) != want {
			t.Errorf("%q = %v, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"tomorrow", "2027-13-01", "2027-02-30", "0000-01-01", "1", "2027-01-31T25:00:00Z"} {
		if _, err := auth.ParseExpiry(text); registry.KindOf(err) != registry.Invalid {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestDeployTokenRules(t *testing.T) {
	w := newWorld(t)
	good := auth.NewDeployToken{Name: "ci", Scopes: auth.ReadPackageRegistry, ProjectID: w.project.ID}
	for name, spoil := range map[string]func(*auth.NewDeployToken){
		"no name":      func(n *auth.NewDeployToken) { n.Name = " " },
		"long name":    func(n *auth.NewDeployToken) { n.Name = strings.Repeat("x", 256) },
		"control":      func(n *auth.NewDeployToken) { n.Name = "a\nb" },
		"no scope":     func(n *auth.NewDeployToken) { n.Scopes = 0 },
		"two holders":  func(n *auth.NewDeployToken) { n.GroupID = 1 },
		"no holder":    func(n *auth.NewDeployToken) { n.ProjectID = 0 },
		"bad username": func(n *auth.NewDeployToken) { n.Username = "a b" },
		"weak secret":  func(n *auth.NewDeployToken) { n.Secret = auth.NewSecret("short") },
	} {
		n := good
		spoil(&n)
		if _, _, err := w.CreateDeployToken(t.Context(), n, by); registry.KindOf(err) != registry.Invalid {
			t.Errorf("%s: %v, want invalid", name, err)
		}
	}
	good.Secret, good.ID = auth.NewSecret("gldt-imported-1234567890"), 99
	made, secret, err := w.CreateDeployToken(t.Context(), good, by)
	if err != nil || made.ID != 99 || secret.Reveal() != "gldt-imported-1234567890" {
		t.Errorf("imported: %+v, %v", made, err)
	}
	if _, _, err := w.CreateDeployToken(t.Context(), good, by); registry.KindOf(err) != registry.Conflict {
		t.Errorf("imported twice: %v", err)
	}
	if _, err := w.verify(t, auth.NewSecret("gldt-imported-1234567890")); err != nil {
		t.Errorf("imported secret: %v", err)
	}
}

// The project's own token wins over that of the nearest group (gitlab.md 1.7).
func TestCIVariables(t *testing.T) {
	w := newWorld(t)
	ask := func() string {
		_, secret, err := w.CIVariables(t.Context(), w.project)
		if registry.KindOf(err) == registry.NotFound {
			return ""
		}
		must(t, err)
		return secret.Reveal()
	}
	if ask() != "" {
		t.Error("variables without a token")
	}
	_, top := w.token(t, auth.NewDeployToken{Name: auth.CITokenName, GroupID: 1})
	if got := ask(); got != top.Reveal() {
		t.Errorf("of the group above: %q", got)
	}
	_, team := w.token(t, auth.NewDeployToken{Name: auth.CITokenName, GroupID: 2})
	if got := ask(); got != team.Reveal() {
		t.Errorf("of the nearest group: %q", got)
	}
	own, secret := w.token(t, auth.NewDeployToken{Name: auth.CITokenName})
	if got := ask(); got != secret.Reveal() {
		t.Errorf("of the project: %q", got)
	}
	must(t, w.RevokeDeployToken(t.Context(), own.ID, by))
	if got := ask(); got != team.Reveal() {
		t.Errorf("after revocation: %q", got)
	}
}

func TestUsersAndSessions(t *testing.T) {
	w := newWorld(t)
	password, made, err := w.EnsureAdmin(t.Context(), by)
	if err != nil || !made {
		t.Fatalf("first start: %v, %v", made, err)
	}
	if _, again, err := w.EnsureAdmin(t.Context(), by); again || err != nil {
		t.Errorf("second start: %v, %v", again, err)
	}
	session, id, err := w.Login(t.Context(), "ADMIN", password)
	if err != nil || !id.Admin {
		t.Fatalf("login: %+v, %v", id, err)
	}
	for _, wrong := range []string{"", "wrong", strings.Repeat("x", 100_000)} {
		if _, _, err := w.Login(t.Context(), "admin", auth.NewSecret(wrong)); registry.KindOf(err) != registry.Unauthenticated {
			t.Errorf("password %.10q: %v", wrong, err)
		}
	}
	if _, err := w.SetPassword(t.Context(), "admin", auth.NewSecret("another long one"), by); err != nil {
		t.Fatal(err)
	}
	if _, err := w.verify(t, session); registry.KindOf(err) != registry.Unauthenticated {
		t.Errorf("a session survived the change of the password: %v", err)
	}
	user, err := w.FindUser(t.Context(), "admin")
	must(t, err)
	_, token, err := w.CreatePersonalToken(t.Context(), user.ID, "cli", []string{auth.ScopeReadAPI}, time.Time{}, by)
	must(t, err)
	if id, err := w.verify(t, token); err != nil || !id.ReadOnly {
		t.Errorf("read_api: %+v, %v", id, err)
	}
	_, err = w.SetBlocked(t.Context(), "admin", true, by)
	must(t, err)
	if _, err := w.verify(t, token); registry.KindOf(err) != registry.Unauthenticated {
		t.Errorf("a token of a blocked user works: %v", err)
	}
}

func TestMembershipCountsAtOnce(t *testing.T) {
	w := newWorld(t)
	ann, err := w.CreateUser(t.Context(), auth.NewUser{Username: "ann"}, by)
	must(t, err)
	_, secret, err := w.CreatePersonalToken(t.Context(), ann.ID, "cli", []string{auth.ScopeAPI}, time.Time{}, by)
	must(t, err)
	allowed := func() bool {
		id, err := w.verify(t, secret)
		must(t, err)
		return auth.Allow(id, auth.Publish, w.project) == nil
	}
	if allowed() {
		t.Error("a stranger may publish")
	}
	must(t, w.SetMember(t.Context(), "ann", registry.Span{GroupID: 1}, auth.Developer, by))
	if !allowed() {
		t.Error("a developer of the group above may not publish")
	}
	must(t, w.RemoveMember(t.Context(), "ann", registry.Span{GroupID: 1}, by))
	if allowed() {
		t.Error("a former member may publish")
	}
}

// A token dies with its project (threats.md T9).
func TestTokenDiesWithItsProject(t *testing.T) {
	w := newWorld(t)
	_, secret := w.token(t, auth.NewDeployToken{})
	_, err := w.verify(t, secret)
	must(t, err)
	must(t, w.store.DeleteProject(t.Context(), w.project.ID, by))
	if _, err := w.verify(t, secret); registry.KindOf(err) != registry.Unauthenticated {
		t.Errorf("the token outlives its project: %v", err)
	}
}

func TestLastUse(t *testing.T) {
	w := newWorld(t)
	made, secret := w.token(t, auth.NewDeployToken{})
	_, err := w.verify(t, secret)
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w.Run(ctx, func(err error) { t.Error(err) })
	found, err := w.FindDeployToken(t.Context(), made.ID)
	if err != nil || !found.LastUsedAt.Equal(w.clock()) {
		t.Errorf("last use %v, %v", found.LastUsedAt, err)
	}
}

// unreachable is a database that does not answer.
type unreachable struct{ auth.Tokens }

func (unreachable) FindDeployTokenByDigest(context.Context, auth.Digest) (auth.DeployToken, error) {
	return auth.DeployToken{}, registry.Wrapf(registry.Unavailable, errors.New("no route"), "the database does not answer")
}

// A database that is down must not look like a wrong token.
func TestDatabaseDown(t *testing.T) {
	s := auth.New(unreachable{}, auth.Options{})
	_, err := s.Verify(t.Context(), auth.Credential{Form: auth.FormBearer, Secret: auth.NewSecret("some-secret-of-somebody")})
	if registry.KindOf(err) != registry.Unavailable {
		t.Errorf("err = %v, want unavailable", err)
	}
}
