package maven

import (
	"bytes"
	"errors"
	"strings"

	"pakhus/internal/registry"
)

// identity is what a POM says that it is. A group or version that it leaves away
// is its parent's; what the parent leaves away too is empty.
type identity struct{ groupID, artifactID, version string }

// readIdentity reads a POM. One that is not well-formed is Invalid.
func readIdentity(text []byte) (identity, error) {
	var own, parent identity
	err := walkXML(bytes.NewReader(text), maxPOM, func(path []string, text string) error {
		if path[0] != "project" {
			return errXML
		}
		switch strings.Join(path[1:], "/") {
		case "groupId":
			own.groupID = text
		case "artifactId":
			own.artifactID = text
		case "version":
			own.version = text
		case "parent/groupId":
			parent.groupID = text
		case "parent/version":
			parent.version = text
		}
		return nil
	})
	switch {
	case errors.Is(err, errXML):
		return identity{}, registry.Wrapf(registry.Invalid, err, "the POM is not well-formed, or has a document type or entities")
	case err != nil:
		return identity{}, err
	}
	if own.groupID == "" {
		own.groupID = parent.groupID
	}
	if own.version == "" {
		own.version = parent.version
	}
	return own, nil
}

// CheckPOM tells whether a POM is that of the coordinates: Invalid when it is not
// well-formed or calls itself something else. Only the path counts for what is
// stored and served; this finds mistakes. What holds a property is not compared,
// and sbt's old plugins call themselves as their files begin.
func CheckPOM(text []byte, c Coordinates) error {
	says, err := readIdentity(text)
	if err != nil {
		return err
	}
	for _, part := range [...]struct{ name, says, want, or string }{
		{"groupId", says.groupID, c.GroupID, c.GroupID},
		{"artifactId", says.artifactID, c.ArtifactID, c.Prefix},
		{"version", says.version, c.Version, c.Resolved()},
	} {
		if part.says == "" || strings.Contains(part.says, "${") || part.says == part.want || part.says == part.or {
			continue
		}
		return registry.Errorf(registry.Invalid, "the POM says %s %+.60q, but its path says %+.60q", part.name, part.says, part.want)
	}
	return nil
}
