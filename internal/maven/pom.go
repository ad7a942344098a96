package maven

import (
	"bytes"
	"strings"
)

const (
	maxPOM        = 8 << 20  // bytes that are read of a POM
	maxPOMText    = 16 << 10 // bytes that are kept of each text
	maxLicenses   = 32
	defaultPOMJar = "jar"
)

// POM is what a POM says for people to read. Its coordinates are not among it:
// they may come from a parent, and the path has them (maven.md 13.5).
type POM struct {
	Name, Description, URL string
	Packaging              string // jar when the POM says nothing
	Licenses               []License
	SCM                    string // an address for browsers
}

// License is a licence that a POM names.
type License struct {
	Name, URL string
}

// ReadPOM reads a POM as far as it can be read. A broken one is no error: Maven
// itself may read it, or nobody ever does.
func ReadPOM(text []byte) POM {
	p := POM{Packaging: defaultPOMJar}
	var license License
	// What was found before the fault is as good as in a POM without one.
	_ = walkXML(bytes.NewReader(text), maxPOM, func(path []string, text string) error {
		if path[0] != "project" {
			return errXML
		}
		if len(text) > maxPOMText {
			text = strings.ToValidUTF8(text[:maxPOMText], "")
		}
		switch strings.Join(path[1:], "/") {
		case "name":
			p.Name = text
		case "description":
			p.Description = text
		case "url":
			p.URL = text
		case "packaging":
			if text != "" {
				p.Packaging = text
			}
		case "scm/url":
			p.SCM = text
		case "licenses/license/name":
			license.Name = text
		case "licenses/license/url":
			license.URL = text
		case "licenses/license":
			if license != (License{}) && len(p.Licenses) < maxLicenses {
				p.Licenses = append(p.Licenses, license)
			}
			license = License{}
		}
		return nil
	})
	return p
}
