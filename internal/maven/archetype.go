package maven

// Archetype is an entry of archetype-catalog.xml.
type Archetype struct {
	GroupID, ArtifactID, Version string
	Description                  string
}

// AppendArchetypeCatalog appends the catalogue that archetype:generate and
// development environments read, in the order given. Without archetypes it
// appends nothing.
func AppendArchetypeCatalog(b []byte, archetypes []Archetype) []byte {
	if len(archetypes) == 0 {
		return b
	}
	b = append(b, xmlHeader...)
	b = appendTag(b, 0, "archetype-catalog")
	b = appendTag(b, 1, "archetypes")
	for _, a := range archetypes {
		b = appendTag(b, 2, "archetype")
		b = appendElement(b, 3, "groupId", a.GroupID)
		b = appendElement(b, 3, "artifactId", a.ArtifactID)
		b = appendElement(b, 3, "version", a.Version)
		if a.Description != "" {
			b = appendElement(b, 3, "description", a.Description)
		}
		b = appendTag(b, 2, "/archetype")
	}
	b = appendTag(b, 1, "/archetypes")
	return appendTag(b, 0, "/archetype-catalog")
}
