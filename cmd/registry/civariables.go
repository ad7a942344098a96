package main

import (
	"context"
	"fmt"
	"io"

	"pakhus/internal/auth"
)

// ciVariablesCommand prints what GitLab would put into a CI job's environment.
type ciVariablesCommand struct {
	Project string `required:"" help:"Project: id or path." placeholder:"P"`
}

type ciVariables struct {
	User     string `json:"CI_DEPLOY_USER"`
	Password string `json:"CI_DEPLOY_PASSWORD"`
}

// Help says where the variables come from.
func (c *ciVariablesCommand) Help() string {
	return "The token is the active one named " + auth.CITokenName + " of the project, or else of the nearest group above it."
}

// Run prints the variables in dotenv form.
func (c *ciVariablesCommand) Run(ctx context.Context, a *app) error {
	return a.with(ctx, func(s *parts) error {
		p, err := s.packages.Project(ctx, c.Project)
		if err != nil {
			return err
		}
		username, secret, err := s.tokens.CIVariables(ctx, p)
		if err != nil {
			return err
		}
		v := ciVariables{User: username, Password: secret.Reveal()}
		return a.print(v, func(w io.Writer) error {
			_, err := fmt.Fprintf(w, "CI_DEPLOY_USER=%s\nCI_DEPLOY_PASSWORD=%s\n", v.User, v.Password)
			return err
		})
	})
}
