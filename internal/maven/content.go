package maven

import (
	"encoding/json"
	"io"
	"strings"
	"unicode"

	"pakhus/internal/registry"
)

// addContent adds what the content of an artifact's file says: whether it is a
// plugin or an archetype, and, for listings, how its POM describes it. None of
// it can fail an upload.
func addContent(pubs []registry.Publication, c Coordinates, spool *registry.Spool) ([]registry.Publication, error) {
	if c.Classifier != "" || (c.Extension != "jar" && c.Extension != "pom") || spool.Size() == 0 {
		return pubs, nil
	}
	body, err := spool.Open()
	if err != nil {
		return nil, err
	}
	if c.Extension == "pom" {
		return addDescription(pubs, c, body)
	}
	jar, err := ReadJar(body, body.Size())
	if err != nil {
		return nil, err
	}
	if plugin, ok := jar.Plugin(c); ok {
		if pubs, err = addPlugin(pubs, c, plugin); err != nil {
			return nil, err
		}
	}
	if jar.IsArchetype {
		pubs = addArchetype(pubs, c)
	}
	return pubs, nil
}

// addPlugin notes a plugin with its version, and that its group has one. So it
// is found by prefix although deploy plugin 3.0 with Maven 3.8 uploads no
// metadata of the group (maven.md 9.2).
func addPlugin(pubs []registry.Publication, c Coordinates, plugin Plugin) ([]registry.Publication, error) {
	value, err := json.Marshal(pluginFacts{Prefix: plugin.Prefix, Name: plugin.Name})
	if err != nil {
		return nil, registry.Wrapf(registry.Internal, err, "note of a plugin")
	}
	pubs[0].Notes = append(pubs[0].Notes, registry.Note{NoteKey: registry.NoteKey{Kind: notePlugin, VersionKey: c.Version}, Value: value})
	group := pubs[0].Key[:strings.LastIndexByte(pubs[0].Key, '/')]
	return append(pubs, childNote(pubs[0], group, c.ArtifactID)), nil
}

// addArchetype notes an archetype with its version, and that the project has it.
func addArchetype(pubs []registry.Publication, c Coordinates) []registry.Publication {
	pubs[0].Notes = append(pubs[0].Notes, registry.Note{NoteKey: registry.NoteKey{Kind: noteArchetype, VersionKey: c.Version}})
	return append(pubs, childNote(pubs[0], archetypes, pubs[0].Key))
}

// childNote is a publication of a note alone, in the same project as another.
func childNote(of registry.Publication, parent, child string) registry.Publication {
	return registry.Publication{
		ProjectID: of.ProjectID, Format: of.Format, Name: parent, Key: parent, By: of.By,
		Notes: []registry.Note{{NoteKey: registry.NoteKey{Kind: noteChild, Name: child}}},
	}
}

// summary is what search shows of a package: what the POM of its highest version
// says.
type summary struct {
	Version     string    `json:"version"`
	Packaging   string    `json:"packaging"`
	Name        string    `json:"name,omitempty"`
	Description string    `json:"description,omitempty"`
	URL         string    `json:"url,omitempty"`
	SCM         string    `json:"scm,omitempty"`
	Licenses    []License `json:"licenses,omitempty"`
}

// addDescription lets listings show what a POM says, unless they show that of a
// higher version.
func addDescription(pubs []registry.Publication, c Coordinates, body io.Reader) ([]registry.Publication, error) {
	text, err := io.ReadAll(io.LimitReader(body, maxPOM))
	if err != nil {
		return nil, registry.Wrapf(registry.Unavailable, err, "the POM cannot be read again")
	}
	pom := ReadPOM(text)
	pubs[0].Relist = func(before []byte) (*registry.Listing, error) {
		var shown summary
		if len(before) > 0 && json.Unmarshal(before, &shown) == nil && CompareVersions(shown.Version, c.Version) > 0 {
			return nil, nil
		}
		now := summary{
			Version: c.Version, Packaging: pom.Packaging, Name: pom.Name, Description: pom.Description, URL: pom.URL, SCM: pom.SCM, Licenses: pom.Licenses,
		}
		encoded, err := json.Marshal(now)
		if err != nil {
			return nil, registry.Wrapf(registry.Internal, err, "encode search entry")
		}
		return &registry.Listing{VersionKey: c.Version, Summary: encoded, Terms: searchTerms(c, pom)}, nil
	}
	return pubs, nil
}

// Bounds of what search keeps of one package.
const (
	maxTerms      = 100
	maxTermLength = 64 // bytes
)

// searchTerms are the words by which search finds a package.
func searchTerms(c Coordinates, pom POM) []string {
	terms := []string{strings.ToLower(c.GroupID), strings.ToLower(c.ArtifactID)}
	for _, text := range []string{c.ArtifactID, c.GroupID, pom.Name, pom.Description} {
		words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		for _, word := range words {
			if len(word) <= maxTermLength && len(terms) < maxTerms {
				terms = append(terms, word)
			}
		}
	}
	return terms
}
