package npm

import (
	"encoding/json"
	"maps"
	"strings"
)

// requirements puts fields of dependencies together: name to range. npm makes a
// map of a list or a text; what is no text names no dependency.
func (c confusable) requirements(fields ...string) map[string]string {
	all := map[string]string{}
	for _, field := range fields {
		if text, ok := stringValue(c[field]); ok {
			addRequirements(all, strings.FieldsFunc(text, func(r rune) bool { return r == ',' || isJavaScriptSpace(r) }))
			continue
		}
		var list []json.RawMessage
		if json.Unmarshal(c[field], &list) == nil {
			for _, item := range list {
				if text, ok := stringValue(item); ok {
					addRequirements(all, []string{text})
				}
			}
			continue
		}
		for name, value := range c.inner(field) {
			if text, ok := stringValue(value); ok {
				all[name] = strings.Join(strings.FieldsFunc(text, isJavaScriptSpace), " ")
			}
		}
	}
	return all
}

// addRequirements reads name@range, or a name with a range behind a blank or an
// operator. Ranges lose their blanks: clients differ there.
func addRequirements(all map[string]string, list []string) {
	for _, text := range list {
		text = strings.TrimSpace(text)
		scope := 0
		if strings.HasPrefix(text, "@") {
			scope = 1
		}
		end := strings.IndexAny(text[scope:], "@ \t><=")
		if end < 0 {
			all[text] = ""
			continue
		}
		name, rest := text[:scope+end], text[scope+end:]
		all[name] = strings.TrimSpace(strings.TrimPrefix(rest, "@"))
	}
}

func sameRequirements(sent, packed map[string]string) bool {
	return maps.EqualFunc(sent, packed, sameRequirement)
}

// sameRequirement compares ranges. Those of workspaces and catalogues are
// replaced by whoever packs, before or after the manifest is read, and nobody
// can install them as they are. npm writes the addresses of git hosts anew.
func sameRequirement(a, b string) bool {
	if a == b || isReplaced(a) || isReplaced(b) {
		return true
	}
	address := gitAddress(a)
	return address != "" && address == gitAddress(b)
}

func isReplaced(requirement string) bool {
	return strings.HasPrefix(requirement, "workspace:") || strings.HasPrefix(requirement, "catalog:")
}

// gitHosts are the short forms that npm knows.
var gitHosts = map[string]string{"github": "github.com", "gitlab": "gitlab.com", "bitbucket": "bitbucket.org", "gist": "gist.github.com"}

// gitAddress brings the many spellings of a git repository to one: host, path
// and commit. It is empty for what is no repository.
func gitAddress(s string) string {
	s, commit, _ := strings.Cut(s, "#")
	s = strings.TrimSuffix(strings.TrimSuffix(s, "/"), ".git")
	host, path := "", ""
	if scheme, rest, ok := strings.Cut(s, "://"); ok {
		switch scheme {
		case "git", "git+ssh", "git+https", "git+http", "git+file", "ssh", "https", "http":
		default:
			return ""
		}
		host, path, _ = strings.Cut(rest, "/")
	} else if before, rest, ok := strings.Cut(s, ":"); ok { // github:a/b, git@github.com:a/b
		host, path = before, rest
		if known, ok := gitHosts[host]; ok {
			host = known
		} else if !strings.Contains(host, "@") {
			return ""
		}
	} else if owner, repository, ok := strings.Cut(s, "/"); ok && !strings.ContainsAny(owner, ".@~") && !strings.Contains(repository, "/") {
		host, path = gitHosts["github"], s
	}
	if at := strings.LastIndexByte(host, '@'); at >= 0 {
		host = host[at+1:]
	}
	if host == "" || path == "" {
		return ""
	}
	if host == gitHosts["gist"] { // the owner may be left out
		path = path[strings.LastIndexByte(path, '/')+1:]
	}
	return strings.ToLower(host) + "/" + path + "#" + commit
}
