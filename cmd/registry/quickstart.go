package main

import (
	"context"
	"io"
	"strconv"
	"strings"
	"text/template"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
)

// quickstartCommand makes everything that a first try needs.
type quickstartCommand struct{}

// The things that quickstart makes.
const (
	quickGroup   = "acme"
	quickProject = "acme/demo"
)

// quickstart is what clients need to know. The token carries the name that CI
// variables go by, because the secrets of such tokens are sealed: a second run
// can print the same lines again.
type quickstart struct {
	ExternalURL string `json:"external_url"`
	ProjectID   int64  `json:"project_id"`
	Project     string `json:"full_path"`
	Username    string `json:"username"`
	Token       string `json:"token"`
	NPM         string `json:"npm_registry"`
	NuGet       string `json:"nuget_source"`
	Maven       string `json:"maven_url"`
}

// Help says what it makes.
func (c *quickstartCommand) Help() string {
	return "Makes the group " + quickGroup + ", the project " + quickProject + " and a deploy token that reads and publishes, unless they exist, and prints what clients need."
}

// Run makes what is missing and prints the lines.
func (c *quickstartCommand) Run(ctx context.Context, a *app) error {
	return a.with(ctx, func(s *parts) error {
		p, err := s.ensureQuickProject(ctx, a.actor())
		if err != nil {
			return err
		}
		username, secret, err := s.ensureQuickToken(ctx, p, a.actor())
		if err != nil {
			return err
		}
		base := strings.TrimRight(s.config.ExternalURL.String(), "/")
		api := base + "/api/v4/projects/" + strconv.FormatInt(p.ID, 10) + "/packages/"
		q := quickstart{
			ExternalURL: base, ProjectID: p.ID, Project: p.FullPath, Username: username, Token: secret.Reveal(),
			NPM: api + "npm/", NuGet: api + "nuget/index.json", Maven: api + "maven",
		}
		return a.print(q, func(w io.Writer) error { return quickLines.Execute(w, q) })
	})
}

func (s *parts) ensureQuickProject(ctx context.Context, by registry.Actor) (registry.Project, error) {
	_, err := s.packages.Group(ctx, quickGroup)
	if registry.KindOf(err) == registry.NotFound {
		_, err = s.packages.CreateGroup(ctx, registry.NewGroup{FullPath: quickGroup}, by)
	}
	if err != nil && registry.KindOf(err) != registry.Conflict { // made by somebody else meanwhile
		return registry.Project{}, err
	}
	p, err := s.packages.Project(ctx, quickProject)
	if registry.KindOf(err) != registry.NotFound {
		return p, err
	}
	p, err = s.packages.CreateProject(ctx, registry.NewProject{FullPath: quickProject}, by)
	if registry.KindOf(err) == registry.Conflict {
		return s.packages.Project(ctx, quickProject)
	}
	return p, err
}

const quickScopes = auth.ReadPackageRegistry | auth.WritePackageRegistry

// ensureQuickToken gives a token that works: the one of the last run, or a new
// one when that was revoked, has expired, or has other scopes by now.
func (s *parts) ensureQuickToken(ctx context.Context, p registry.Project, by registry.Actor) (string, auth.Secret, error) {
	username, secret, err := s.tokens.CIVariables(ctx, p)
	if err == nil {
		id, err := s.tokens.Verify(ctx, auth.Credential{Form: auth.FormDeployToken, Secret: secret})
		if err == nil && auth.Allow(id, auth.Publish, p) == nil {
			return username, secret, nil
		}
		if err != nil && registry.KindOf(err) != registry.Unauthenticated {
			return "", auth.Secret{}, err
		}
	} else if registry.KindOf(err) != registry.NotFound {
		return "", auth.Secret{}, err
	}
	t, secret, err := s.tokens.CreateDeployToken(ctx, auth.NewDeployToken{
		Name: auth.CITokenName, Scopes: quickScopes, ProjectID: p.ID,
	}, by)
	return t.EffectiveUsername(), secret, err
}

// NPMKey is the registry as .npmrc names it in a credential's key: without the
// scheme, with the slash at its end.
func (q quickstart) NPMKey() string {
	_, rest, _ := strings.Cut(q.NPM, ":")
	return rest
}

// Insecure tells whether clients must be told to accept plain HTTP.
func (q quickstart) Insecure() bool { return strings.HasPrefix(q.ExternalURL, "http://") }

var quickLines = template.Must(template.New("quickstart").Parse(`Project {{.Project}} has the id {{.ProjectID}}. Its deploy token {{.Username}} reads and publishes.

--- .npmrc
@acme:registry={{.NPM}}
{{.NPMKey}}:_authToken={{.Token}}

--- curl
curl --header "Deploy-Token: {{.Token}}" {{.NPM}}-/whoami

--- nuget.config
<?xml version="1.0" encoding="utf-8"?>
<configuration>
  <packageSources>
    <add key="acme" value="{{.NuGet}}" protocolVersion="3"{{if .Insecure}} allowInsecureConnections="true"{{end}} />
  </packageSources>
  <packageSourceCredentials>
    <acme>
      <add key="Username" value="{{.Username}}" />
      <add key="ClearTextPassword" value="{{.Token}}" />
    </acme>
  </packageSourceCredentials>
</configuration>

--- dotnet
dotnet nuget push PACKAGE.nupkg --source acme --api-key {{.Token}}

--- settings.xml (the repository with the id acme is {{.Maven}})
<settings>
  <servers>
    <server>
      <id>acme</id>
      <configuration>
        <httpHeaders>
          <property>
            <name>Deploy-Token</name>
            <value>{{.Token}}</value>
          </property>
        </httpHeaders>
      </configuration>
    </server>
  </servers>
</settings>

--- build.gradle
repositories {
    maven {
        url = uri("{{.Maven}}")
{{- if .Insecure}}
        allowInsecureProtocol = true
{{- end}}
        credentials(HttpHeaderCredentials) {
            name = "Deploy-Token"
            value = "{{.Token}}"
        }
        authentication {
            header(HttpHeaderAuthentication)
        }
    }
}
`))
