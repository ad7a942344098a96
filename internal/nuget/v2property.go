package nuget

import (
	"time"
)

// v2Property is a property of the feed's entries: in documents, in $metadata, and
// in what clients ask for.
type v2Property struct {
	odataColumn
	edm      string // its type in $metadata
	nullable bool
	// target is the element of Atom that tells the property too, in the words of
	// $metadata.
	target string
	of     func(*v2Entry) odataValue
}

// v2Properties are the properties of nuget.md 12.1, in the order in which entries
// have them. Downloads count as none: the feed's documents are prepared, and a
// number in them would be old.
var v2Properties = []v2Property{
	v2Text("Id", func(e *v2Entry) string { return e.ID }).asID().inAtom("SyndicationTitle"),
	v2Version("Version", func(e *v2Entry) odataValue { return odataSpelling(e.Original, e.version) }),
	v2Version("NormalizedVersion", func(e *v2Entry) odataValue { return odataSpelling(e.version.String(), e.version) }),
	v2Text("Authors", func(e *v2Entry) string { return e.Authors }).inAtom("SyndicationAuthorName"),
	v2Optional("Copyright", func(e *v2Entry) string { return e.Copyright }),
	v2Time("Created", func(e *v2Entry) time.Time { return e.created }),
	v2Text("Dependencies", (*v2Entry).dependencyText),
	v2Text("Description", func(e *v2Entry) string { return e.Description }),
	v2Number("DownloadCount", "Edm.Int32", func(*v2Entry) int64 { return 0 }),
	v2Optional("GalleryDetailsUrl", func(*v2Entry) string { return "" }),
	v2Optional("IconUrl", (*v2Entry).iconURL),
	v2Truth("IsLatestVersion", func(e *v2Entry) bool { return e.latest }),
	v2Truth("IsAbsoluteLatestVersion", func(e *v2Entry) bool { return e.absoluteLatest }),
	v2Truth("IsPrerelease", func(e *v2Entry) bool { return e.version.IsPrerelease() }),
	v2Optional("Language", func(e *v2Entry) string { return e.Language }),
	v2Time("LastUpdated", func(e *v2Entry) time.Time { return e.created }).inAtom("SyndicationUpdated"),
	v2Time("Published", (*v2Entry).published),
	v2Text("PackageHash", func(e *v2Entry) string { return e.Hash }),
	v2Text("PackageHashAlgorithm", func(*v2Entry) string { return "SHA512" }),
	v2Number("PackageSize", "Edm.Int64", func(e *v2Entry) int64 { return e.Size }),
	v2Optional("ProjectUrl", func(e *v2Entry) string { return e.ProjectURL }),
	v2Optional("ReportAbuseUrl", func(*v2Entry) string { return "" }),
	v2Optional("ReleaseNotes", func(e *v2Entry) string { return e.ReleaseNotes }),
	v2Truth("RequireLicenseAcceptance", func(e *v2Entry) bool { return e.RequireLicenseAcceptance }),
	v2Truth("DevelopmentDependency", func(e *v2Entry) bool { return e.DevelopmentDependency }),
	v2Optional("Summary", func(e *v2Entry) string { return e.Summary }).inAtom("SyndicationSummary"),
	v2Optional("Tags", (*v2Entry).tagText),
	v2Optional("Title", (*v2Entry).displayTitle),
	v2Number("VersionDownloadCount", "Edm.Int32", func(*v2Entry) int64 { return 0 }),
	v2Optional("MinClientVersion", func(e *v2Entry) string { return e.MinClientVersion }),
	v2Time("LastEdited", func(e *v2Entry) time.Time { return e.created }),
	v2Optional("LicenseUrl", (*v2Entry).licenseURL),
	v2Optional("LicenseNames", func(e *v2Entry) string { return e.LicenseExpression }),
	v2Optional("LicenseReportUrl", func(*v2Entry) string { return "" }),
}

// v2Schema and v2PropertyIndex find properties by their names.
var v2Schema, v2PropertyIndex = indexV2Properties()

func indexV2Properties() (odataSchema, map[string]int) {
	columns := make([]odataColumn, len(v2Properties))
	index := make(map[string]int, len(v2Properties))
	for i, p := range v2Properties {
		columns[i], index[p.name] = p.odataColumn, i
	}
	return newODataSchema(columns...), index
}

// v2Row is an entry that expressions are asked of.
type v2Row struct{ *v2Entry }

func (r v2Row) propertyOf(name string) (odataValue, bool) {
	i, ok := v2PropertyIndex[name]
	if !ok {
		return odataValue{}, false
	}
	v := v2Properties[i].of(r.v2Entry)
	return v, !v.isNull()
}

func v2Text(name string, of func(*v2Entry) string) v2Property {
	return v2Property{odataColumn{name: name, typ: odataText}, "Edm.String", true, "", func(e *v2Entry) odataValue { return odataTextOf(of(e)) }}
}

// v2Optional is a text that is null when there is none: clients fail at an empty
// address where they do not at none.
func v2Optional(name string, of func(*v2Entry) string) v2Property {
	p := v2Text(name, of)
	p.of = func(e *v2Entry) odataValue {
		if s := of(e); s != "" {
			return odataTextOf(s)
		}
		return odataValue{}
	}
	return p
}

func v2Version(name string, of func(*v2Entry) odataValue) v2Property {
	return v2Property{odataColumn{name: name, typ: odataVersion}, "Edm.String", false, "", of}
}

func v2Truth(name string, of func(*v2Entry) bool) v2Property {
	return v2Property{odataColumn{name: name, typ: odataBool}, "Edm.Boolean", false, "", func(e *v2Entry) odataValue { return odataTruth(of(e)) }}
}

func v2Number(name, edm string, of func(*v2Entry) int64) v2Property {
	return v2Property{odataColumn{name: name, typ: odataNumber}, edm, false, "", func(e *v2Entry) odataValue { return odataNumberOf(float64(of(e))) }}
}

func v2Time(name string, of func(*v2Entry) time.Time) v2Property {
	return v2Property{odataColumn{name: name, typ: odataTime}, "Edm.DateTime", false, "", func(e *v2Entry) odataValue { return odataTimeOf(of(e)) }}
}

// odataSpelling is a version in one of its spellings.
func odataSpelling(text string, v Version) odataValue {
	return odataValue{typ: odataVersion, text: text, version: v}
}

func (p v2Property) asID() v2Property {
	p.isID, p.nullable = true, false
	return p
}

func (p v2Property) inAtom(target string) v2Property {
	p.target = target
	return p
}
