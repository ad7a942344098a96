package nuget

import (
	"encoding/xml"

	"pakhus/internal/registry"
)

// DependencyGroup is what a package needs on one framework. A group without
// dependencies says that the framework is supported and nothing is needed.
type DependencyGroup struct {
	Framework    Framework
	Dependencies []Dependency
}

// Dependency is a package that another one needs.
type Dependency struct {
	ID        ID
	Range     Range
	RangeText string // as it stands in the nuspec; may be empty
}

// dependencyList reads groups, or the dependencies of old packers without
// groups. Clients ignore the latter when there is any group.
func (p *nuspecParser) dependencyList() error {
	seen := map[string]struct{}{}
	for i := range p.flat {
		seen[p.flat[i].ID.Key()] = struct{}{}
	}
	return p.xml.eachChild(func(e xml.StartElement) (err error) {
		if e.Name.Space != p.namespace {
			return p.xml.skip(e)
		}
		switch e.Name.Local {
		case "group":
			return p.group(e)
		case "dependency":
			p.flat, err = p.dependency(e, p.flat, seen)
			return err
		}
		return p.xml.skip(e)
	})
}

func (p *nuspecParser) group(e xml.StartElement) error {
	p.hasGroup = true
	framework, err := ParseFramework(attribute(e, "targetFramework"))
	if err != nil {
		return err
	}
	g := DependencyGroup{Framework: framework}
	seen := map[string]struct{}{}
	err = p.xml.eachChild(func(e xml.StartElement) (err error) {
		if e.Name.Local != "dependency" || e.Name.Space != p.namespace {
			return p.xml.skip(e)
		}
		g.Dependencies, err = p.dependency(e, g.Dependencies, seen)
		return err
	})
	if err != nil {
		return err
	}
	if p.Groups = append(p.Groups, g); len(p.Groups) > maxGroups {
		return registry.Errorf(registry.Invalid, "the nuspec has more than %d dependency groups", maxGroups)
	}
	return nil
}

// dependency reads one and adds it to list; seen holds the keys of that list.
func (p *nuspecParser) dependency(e xml.StartElement, list []Dependency, seen map[string]struct{}) ([]Dependency, error) {
	if p.dependencies++; p.dependencies > maxDependencies {
		return nil, registry.Errorf(registry.Invalid, "the nuspec has more than %d dependencies", maxDependencies)
	}
	id, err := parseDependencyID(attribute(e, "id"))
	if err != nil {
		return nil, registry.Errorf(registry.Invalid, "a dependency is refused: %s", registry.Message(err))
	}
	if _, repeated := seen[id.Key()]; repeated {
		return nil, registry.Errorf(registry.Invalid, "the nuspec names the dependency %s twice in one group", id)
	}
	seen[id.Key()] = struct{}{}
	d := Dependency{ID: id, RangeText: attribute(e, "version")}
	if len(d.RangeText) > maxNewRange {
		return nil, registry.Errorf(registry.Invalid, "the version range of dependency %s is longer than %d characters", id, maxNewRange)
	}
	if d.Range, err = ParseRange(d.RangeText); err != nil {
		return nil, registry.Errorf(registry.Invalid, "the version of dependency %s is refused: %s", id, registry.Message(err))
	}
	return append(list, d), p.xml.skip(e)
}

// finishDependencies makes one group for any framework of flat dependencies.
func (p *nuspecParser) finishDependencies() {
	switch {
	case len(p.flat) == 0:
	case p.hasGroup:
		p.warn("The dependencies outside of groups are left out: clients ignore them beside groups.")
	default:
		p.Groups = []DependencyGroup{{Dependencies: p.flat}}
	}
}
