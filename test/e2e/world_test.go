package e2e

import "fmt"

// world is what one client's scripts work in: a tree of groups, projects and
// deploy tokens, made by the registry's own commands.
type world struct {
	name string            // of the top-level group, and so of the npm scope
	vars map[string]string // for scripts
}

// newWorld makes, for a name such as npm12:
//
//	npm12            group
//	npm12/team       group
//	npm12/team/lib   private project, where the packages go
//	npm12/other      private project, whose token must not reach the first
func newWorld(s *server, name string) (world, error) {
	w := world{name: name, vars: map[string]string{"REG": s.url(), "SCOPE": "@" + name, "SCOPE_PATH": name}}
	var groups, projects []created
	for _, path := range []string{name, name + "/team"} {
		made, err := s.create("group", "create", path)
		if err != nil {
			return world{}, err
		}
		groups = append(groups, made)
	}
	for _, path := range []string{name + "/team/lib", name + "/other"} {
		made, err := s.create("project", "create", path)
		if err != nil {
			return world{}, err
		}
		projects = append(projects, made)
	}
	api := s.url() + "/api/v4"
	w.vars["PROJECT"] = fmt.Sprintf("%s/projects/%d/packages/npm/", api, projects[0].ID)
	w.vars["PROJECT_BY_PATH"] = fmt.Sprintf("%s/projects/%s%%2Fteam%%2Flib/packages/npm/", api, name)
	w.vars["OTHER"] = fmt.Sprintf("%s/projects/%d/packages/npm/", api, projects[1].ID)
	w.vars["GROUP"] = fmt.Sprintf("%s/groups/%d/-/packages/npm/", api, groups[0].ID)
	w.vars["SUBGROUP"] = fmt.Sprintf("%s/groups/%d/-/packages/npm/", api, groups[1].ID)
	w.vars["INSTANCE"] = api + "/packages/npm/"
	// For the other formats: where everything of a project or group begins.
	w.vars["API"] = api
	w.vars["PROJECT_PATH"] = name + "/team/lib"
	w.vars["PROJECT_API"] = fmt.Sprintf("%s/projects/%d", api, projects[0].ID)
	w.vars["OTHER_API"] = fmt.Sprintf("%s/projects/%d", api, projects[1].ID)
	w.vars["GROUP_API"] = fmt.Sprintf("%s/groups/%d", api, groups[0].ID)
	w.vars["SUBGROUP_API"] = fmt.Sprintf("%s/groups/%d", api, groups[1].ID)
	w.vars["HOST_PROJECT"], w.vars["HOST_GROUP"] = s.hosts[name].project, s.hosts[name].group
	return w, w.addTokens(s)
}

// addTokens makes the deploy tokens: a variable with the secret of each, one
// ending in _ID with its id, and one ending in _USER with its user name.
func (w world) addTokens(s *server) error {
	const read, write = "read_package_registry", "write_package_registry"
	project, other := w.name+"/team/lib", w.name+"/other"
	for _, t := range []struct {
		name string
		args []string
	}{
		{"RW", []string{"--project", project, "--scope", read, "--scope", write}},
		{"RO", []string{"--project", project, "--scope", read}},
		{"GROUP_RW", []string{"--group", w.name, "--scope", read, "--scope", write}},
		{"GROUP_RO", []string{"--group", w.name, "--scope", read}},
		{"WO", []string{"--project", project, "--scope", write}},
		{"FOREIGN", []string{"--project", other, "--scope", read, "--scope", write}},
		{"EXPIRED", []string{"--project", project, "--scope", write, "--expires-at", "2026-01-01"}},
		{"REVOKED", []string{"--project", project, "--scope", write}},
	} {
		made, err := s.create(append([]string{"token", "create", "--name", t.name}, t.args...)...)
		if err != nil {
			return err
		}
		w.vars[t.name], w.vars[t.name+"_ID"], w.vars[t.name+"_USER"] = made.Token, fmt.Sprint(made.ID), made.Username
	}
	_, err := s.command("token", "revoke", w.vars["REVOKED_ID"])
	return err
}
