package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
)

type tokenExplainCommand struct {
	ID         int64  `arg:"" optional:"" help:"Id of a deploy token."`
	SecretFile string `help:"File with the secret instead, - for standard input. It is not printed." placeholder:"F"`
	Project    string `help:"Project to try the token on: id or path." placeholder:"P"`
}

// Help says why the secret is not an argument.
func (c *tokenExplainCommand) Help() string {
	return "Give an id, or a file with the secret: a secret on the command line would be in the shell's history."
}

// Validate wants one of the two.
func (c *tokenExplainCommand) Validate() error {
	if (c.ID == 0) == (c.SecretFile == "") {
		return registry.Errorf(registry.Invalid, "give either the id of a token or --secret-file")
	}
	return nil
}

// explanation is what there is to say about a token; never its secret.
type explanation struct {
	Kind     string      `json:"kind"`  // deploy_token, personal_access_token, unknown
	State    string      `json:"state"` // active, revoked, expired, refused
	Reason   string      `json:"reason,omitempty"`
	ID       int64       `json:"id,omitempty"`
	Name     string      `json:"name,omitempty"`
	Username string      `json:"username,omitempty"`
	Scopes   []string    `json:"scopes,omitempty"`
	Covers   string      `json:"covers,omitempty"`
	Expires  *stamp      `json:"expires_at,omitempty"`
	LastUsed *stamp      `json:"last_used_at,omitempty"`
	Project  string      `json:"project,omitempty"`
	Actions  []judgement `json:"actions,omitempty"`
}

// judgement is the gate's decision on one action.
type judgement struct {
	Action  string `json:"action"`
	Allowed bool   `json:"allowed"`
	Reason  string `json:"reason,omitempty"`
}

func (x explanation) cells() []cell {
	id := ""
	if x.ID != 0 {
		id = strconv.FormatInt(x.ID, 10)
	}
	cells := []cell{
		{"kind", x.Kind},
		{"state", x.State},
		{"reason", x.Reason},
		{"id", id},
		{"name", x.Name},
		{"username", x.Username},
		{"scopes", strings.Join(x.Scopes, ",")},
		{"covers", x.Covers},
		{"expires", x.Expires.String()},
		{"last used", x.LastUsed.String()},
		{"project", x.Project},
	}
	for _, j := range x.Actions {
		verdict := "yes"
		if !j.Allowed {
			verdict = "no: " + j.Reason
		}
		cells = append(cells, cell{"may " + j.Action, verdict})
	}
	return cells
}

// Run explains the token.
func (c *tokenExplainCommand) Run(ctx context.Context, a *app) error {
	var secret auth.Secret
	if c.SecretFile != "" {
		var err error
		if secret, err = readSecret(c.SecretFile, a.in); err != nil {
			return err
		}
	}
	return a.with(ctx, func(s *parts) error {
		x, id, err := c.find(ctx, s, secret)
		if err != nil {
			return err
		}
		if c.Project != "" {
			p, err := s.packages.Project(ctx, c.Project)
			if err != nil {
				return err
			}
			x.Project, x.Actions = p.FullPath, judge(x, id, p)
		}
		return a.show(x)
	})
}

// find describes the token, and gives the identity that it has at the gate, or
// would have if it were active.
func (c *tokenExplainCommand) find(ctx context.Context, s *parts, secret auth.Secret) (explanation, *auth.Identity, error) {
	if c.ID != 0 {
		t, err := s.tokens.FindDeployToken(ctx, c.ID)
		if err != nil {
			return explanation{}, nil, err
		}
		return s.explainDeployToken(ctx, t)
	}
	digest := secret.Digest()
	t, err := s.store.FindDeployTokenByDigest(ctx, digest)
	if err == nil {
		return s.explainDeployToken(ctx, t)
	}
	if registry.KindOf(err) != registry.NotFound {
		return explanation{}, nil, err
	}
	id, refusal := s.tokens.Verify(ctx, auth.Credential{Form: auth.FormBearer, Secret: secret})
	if refusal != nil && registry.KindOf(refusal) != registry.Unauthenticated {
		return explanation{}, nil, refusal
	}
	personal, err := s.store.FindPersonalTokenByDigest(ctx, digest)
	if registry.KindOf(err) == registry.NotFound {
		return explanation{Kind: "unknown", State: "refused", Reason: registry.Message(refusal)}, &auth.Identity{}, nil
	}
	if err != nil {
		return explanation{}, nil, err
	}
	x := explanation{
		Kind: "personal_access_token", State: "active", ID: personal.ID, Name: personal.Name, Scopes: personal.Scopes,
		Expires: optional(personal.ExpiresAt), LastUsed: optional(personal.LastUsedAt), Covers: "what its user may do",
	}
	if refusal != nil {
		x.State, x.Reason = "refused", registry.Message(refusal)
		return x, &auth.Identity{}, nil
	}
	x.Username = id.Name
	return x, id, nil
}

func (s *parts) explainDeployToken(ctx context.Context, t auth.DeployToken) (explanation, *auth.Identity, error) {
	x := explanation{
		Kind: "deploy_token", State: newTokenView(t, s.tokens.Now()).state(), ID: t.ID, Name: t.Name, Username: t.EffectiveUsername(),
		Scopes: t.Scopes.Names(), Expires: optional(t.ExpiresAt), LastUsed: optional(t.LastUsedAt),
	}
	switch x.State {
	case "revoked":
		x.Reason = "it was revoked at " + t.RevokedAt.UTC().Format(time.RFC3339)
	case "expired":
		x.Reason = "it expired at " + t.ExpiresAt.UTC().Format(time.RFC3339)
	}
	if t.ProjectID != 0 {
		p, err := s.packages.ProjectByID(ctx, t.ProjectID)
		if err != nil {
			return x, nil, err
		}
		x.Covers = "project " + p.FullPath
	} else {
		g, err := s.packages.Group(ctx, strconv.FormatInt(t.GroupID, 10))
		if err != nil {
			return x, nil, err
		}
		x.Covers = fmt.Sprintf("group %s, with every project below it", g.FullPath)
	}
	return x, &auth.Identity{
		Kind: auth.DeployTokenIdentity, Name: t.EffectiveUsername(), TokenID: t.ID,
		Scopes: t.Scopes, ProjectID: t.ProjectID, GroupID: t.GroupID,
	}, nil
}

// judge asks the gate itself about every action on packages.
func judge(x explanation, id *auth.Identity, p registry.Project) []judgement {
	var all []judgement
	for _, action := range []auth.Action{auth.Read, auth.Publish, auth.Tag, auth.Deprecate, auth.Delete} {
		j := judgement{Action: action.String(), Allowed: true}
		if x.State != "active" {
			j.Allowed, j.Reason = false, "the token is "+x.State
		} else if err := auth.Allow(id, action, p); err != nil {
			j.Allowed, j.Reason = false, registry.Message(err)
		}
		all = append(all, j)
	}
	return all
}
