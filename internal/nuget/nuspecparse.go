package nuget

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"pakhus/internal/registry"
)

// nuspecNamespaces are the namespaces that packers have put nuspecs into over
// the years. The first ones used none.
var nuspecNamespaces = []string{
	"",
	"http://schemas.microsoft.com/packaging/2010/07/nuspec.xsd",
	"http://schemas.microsoft.com/packaging/2011/08/nuspec.xsd",
	"http://schemas.microsoft.com/packaging/2011/10/nuspec.xsd",
	"http://schemas.microsoft.com/packaging/2012/06/nuspec.xsd",
	"http://schemas.microsoft.com/packaging/2013/01/nuspec.xsd",
	"http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd",
}

// nuspecParser collects what the elements of a nuspec say; finish checks it.
type nuspecParser struct {
	Nuspec
	xml       *xmlReader
	namespace string // of the metadata
	// fields are the plain elements of the metadata by their names in lower
	// case: clients compare them without case, and the first one counts.
	fields           map[string]string
	minClientVersion string

	flat         []Dependency
	dependencies int
	hasGroup     bool
	hasLicense   bool
	hasSource    bool
}

func (p *nuspecParser) warn(format string, args ...any) {
	p.Warnings = append(p.Warnings, fmt.Sprintf(format, args...))
}

// document reads the one root element and nothing beside it.
func (p *nuspecParser) document() error {
	found := false
	for {
		token, err := p.xml.next()
		if errors.Is(err, io.EOF) && found {
			return nil
		}
		if errors.Is(err, io.EOF) {
			return registry.Errorf(registry.Invalid, "the nuspec is empty")
		}
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.CharData:
			if strings.TrimSpace(string(t)) != "" {
				return registry.Errorf(registry.Invalid, "the nuspec is not well-formed XML: text stands outside of its root")
			}
		case xml.StartElement:
			if found {
				return registry.Errorf(registry.Invalid, "the nuspec is not well-formed XML: it has two roots")
			}
			found = true
			if err := p.root(t); err != nil {
				return err
			}
		}
	}
}

func (p *nuspecParser) root(e xml.StartElement) error {
	if e.Name.Local != "package" {
		return registry.Errorf(registry.Invalid, "the nuspec's root must be a package, not %q", cutText(e.Name.Local, 50))
	}
	if err := checkNamespace(e); err != nil {
		return err
	}
	found := false
	err := p.xml.eachChild(func(e xml.StartElement) error {
		switch {
		case e.Name.Local != "metadata":
			return p.xml.skip(e)
		case found:
			return registry.Errorf(registry.Invalid, "the nuspec has two metadata elements")
		}
		found = true
		return p.metadata(e)
	})
	if err == nil && !found {
		return registry.Errorf(registry.Invalid, "the nuspec has no metadata element")
	}
	return err
}

func checkNamespace(e xml.StartElement) error {
	if slices.Contains(nuspecNamespaces, e.Name.Space) {
		return nil
	}
	return registry.Errorf(registry.Invalid, "the nuspec's %s is in the namespace %q, which clients do not know", e.Name.Local, cutText(e.Name.Space, 200))
}

func (p *nuspecParser) metadata(e xml.StartElement) error {
	if err := checkNamespace(e); err != nil { // old packers put it here and not on the root
		return err
	}
	p.namespace = e.Name.Space
	p.minClientVersion = attribute(e, "minClientVersion")
	return p.xml.eachChild(func(e xml.StartElement) error {
		if e.Name.Space == p.namespace {
			switch e.Name.Local {
			case "dependencies":
				return p.dependencyList()
			case "packageTypes":
				return p.packageTypes()
			case "repository":
				return p.repository(e)
			case "license":
				return p.license(e)
			}
		}
		return p.field(e)
	})
}

// field reads an element that holds nothing but a text. Clients look for id and
// version in another way than for the rest: of these there must be one.
func (p *nuspecParser) field(e xml.StartElement) error {
	text, plain, err := p.xml.text()
	if err != nil {
		return err
	}
	key := strings.ToLower(e.Name.Local)
	_, repeated := p.fields[key]
	if key == "id" || key == "version" {
		if repeated || !plain {
			return registry.Errorf(registry.Invalid, "the nuspec must have one %s, and it must be a plain text", key)
		}
		p.fields[key] = text
		return nil
	}
	if _, known := nuspecFields[key]; known && plain && text != "" && !repeated {
		p.fields[key] = text
	}
	return nil
}

// nuspecFields are the plain elements that we read, in lower case.
var nuspecFields = func() map[string]struct{} {
	known := map[string]struct{}{}
	for name := range strings.FieldsSeq(`title authors owners description summary releasenotes language copyright tags
		projecturl licenseurl iconurl icon readme requirelicenseacceptance developmentdependency`) {
		known[name] = struct{}{}
	}
	return known
}()

func (p *nuspecParser) packageTypes() error {
	return p.xml.eachChild(func(e xml.StartElement) error {
		if e.Name.Local != "packageType" || e.Name.Space != p.namespace {
			return p.xml.skip(e)
		}
		t := PackageType{Name: attribute(e, "name")}
		if _, err := ParseID(t.Name); err != nil {
			return registry.Errorf(registry.Invalid, "%q is not the name of a package type", cutText(t.Name, 200))
		}
		if text := attribute(e, "version"); text != "" {
			version, err := ParseVersion(text)
			if err != nil {
				return registry.Errorf(registry.Invalid, "the version of package type %s is refused: %s", t.Name, registry.Message(err))
			}
			t.Version = version.String()
		}
		if !p.HasType(t.Name) {
			p.PackageTypes = append(p.PackageTypes, t)
		}
		if len(p.PackageTypes) > maxPackageTypes {
			return registry.Errorf(registry.Invalid, "the nuspec has more than %d package types", maxPackageTypes)
		}
		return p.xml.skip(e)
	})
}

func (p *nuspecParser) repository(e xml.StartElement) error {
	if !p.hasSource {
		p.hasSource = true
		p.Repository = Repository{Type: attribute(e, "type"), URL: attribute(e, "url"), Branch: attribute(e, "branch"), Commit: attribute(e, "commit")}
	}
	return p.xml.skip(e)
}

func (p *nuspecParser) license(e xml.StartElement) error {
	text, plain, err := p.xml.text()
	if err != nil || p.hasLicense {
		return err
	}
	p.hasLicense = true
	if version := attribute(e, "version"); version != "" && version != "1.0.0" {
		return registry.Errorf(registry.Invalid, "the license is of version %q: only 1.0.0 is known", cutText(version, 50))
	}
	p.License = License{Type: strings.ToLower(attribute(e, "type")), Text: strings.TrimSpace(text)}
	if !plain || p.License.Text == "" {
		return registry.Errorf(registry.Invalid, "the license must be a plain text that is not empty")
	}
	switch p.License.Type {
	case LicenseExpression:
		return checkLicenseExpression(p.License.Text)
	case LicenseFile:
		p.License.Text = cleanPath(p.License.Text)
		return checkExtension("license", p.License.Text, ".txt", ".md", "")
	}
	return registry.Errorf(registry.Invalid, "the license must be of the type expression or file")
}
