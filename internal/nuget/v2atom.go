package nuget

import (
	"net/url"
	"strings"
	"time"
)

// v2EntityType is the type of entries; clients compare it with their own.
const v2EntityType = "NuGetGallery.OData.V2FeedPackage"

const (
	v2FeedType    = "application/atom+xml;type=feed;charset=utf-8"
	v2EntryType   = "application/atom+xml;type=entry;charset=utf-8"
	v2ServiceType = "application/xml;charset=utf-8"
)

// v2Feed is one page of entries.
type v2Feed struct {
	base    string // the V2 address, without a final slash
	title   string // the resource that was asked: Packages, Search, FindPackagesById
	updated time.Time
	count   int64  // of all pages; not told when negative
	next    string // address of the next page; empty for none
	entries []*v2Entry
}

// appendV2Feed writes a feed document.
func appendV2Feed(b []byte, f *v2Feed) []byte {
	b = appendRoot(append(b, xmlHead...), "feed", f.base)
	if f.count >= 0 {
		b = appendElement(b, "m:count", "", formatID(f.count))
	}
	b = appendElement(b, "id", "", f.base+"/"+f.title)
	b = appendElement(b, "title", ` type="text"`, f.title)
	b = appendElement(b, "updated", "", formatAtomTime(f.updated))
	b = appendLink(b, "self", f.title, f.base+"/"+f.title)
	if len(f.entries) == 0 {
		b = append(b, "<author><name></name></author>"...) // Atom wants one where no entry has one
	}
	for _, e := range f.entries {
		b = append(appendV2Entry(append(b, "<entry>"...), e, f.base), "</entry>\n"...)
	}
	if f.next != "" {
		b = appendLink(b, "next", "", f.next)
	}
	return append(b, "</feed>\n"...)
}

// appendV2EntryDocument writes a document of one entry.
func appendV2EntryDocument(b []byte, e *v2Entry, base string) []byte {
	b = appendRoot(append(b, xmlHead...), "entry", base)
	return append(appendV2Entry(b, e, base), "</entry>\n"...)
}

func appendRoot(b []byte, tag, base string) []byte {
	b = append(append(b, '<'), tag...)
	b = appendAttribute(b, "xml:base", base+"/")
	b = appendAttribute(b, "xmlns", xmlAtom)
	b = appendAttribute(b, "xmlns:d", xmlData)
	b = appendAttribute(b, "xmlns:m", xmlDataMeta)
	return append(b, ">\n"...)
}

func appendLink(b []byte, rel, title, href string) []byte {
	b = appendAttribute(append(b, "<link"...), "rel", rel)
	if title != "" {
		b = appendAttribute(b, "title", title)
	}
	return append(appendAttribute(b, "href", href), "/>"...)
}

// appendV2Entry writes what stands inside of an entry. PowerShellGet takes the
// package's id out of the entry's own.
func appendV2Entry(b []byte, e *v2Entry, base string) []byte {
	address := base + "/" + v2Key(e.ID, e.version.String())
	b = appendElement(b, "id", "", address)
	b = appendAttribute(append(b, "<category"...), "term", v2EntityType)
	b = append(appendAttribute(b, "scheme", xmlData+"/scheme"), "/>"...)
	b = appendLink(b, "edit", "V2FeedPackage", address)
	b = appendElement(b, "title", ` type="text"`, e.ID)
	b = appendElement(b, "summary", ` type="text"`, e.Summary)
	b = appendElement(b, "updated", "", formatAtomTime(e.created))
	b = append(b, "<author>"...)
	b = append(appendElement(b, "name", "", e.Authors), "</author>"...)
	b = appendAttribute(append(b, "<content"...), "type", "application/zip")
	b = append(appendAttribute(b, "src", base+v2Download(e.ID, e.version.String())), "/>"...)
	b = append(b, "\n<m:properties>"...)
	for i := range v2Properties {
		b = appendV2Property(b, &v2Properties[i], e)
	}
	return append(b, "</m:properties>"...)
}

func appendV2Property(b []byte, p *v2Property, e *v2Entry) []byte {
	b = append(append(b, "<d:"...), p.name...)
	if p.edm != "Edm.String" {
		b = appendAttribute(b, "m:type", p.edm)
	}
	v := p.of(e)
	if v.isNull() {
		return append(b, ` m:null="true"/>`...)
	}
	b = appendODataValue(append(b, '>'), v)
	return append(append(append(b, "</d:"...), p.name...), '>')
}

// v2Key is the address of an entry below the V2 address. Ids and versions hold
// no quotes.
func v2Key(id, version string) string {
	return "Packages(Id='" + url.PathEscape(id) + "',Version='" + url.PathEscape(version) + "')"
}

// v2Download is the address of a version's bytes below the V2 address, where
// clients send their credential without being asked again (nuget.md 1).
func v2Download(id, version string) string {
	return "/package/" + url.PathEscape(id) + "/" + url.PathEscape(version)
}

// appendV2Error writes the error document of OData.
func appendV2Error(b []byte, message string) []byte {
	b = append(append(b, xmlHead...), "<error"...)
	b = append(appendAttribute(b, "xmlns", xmlDataMeta), "><code></code>"...)
	b = appendElement(b, "message", ` xml:lang="en-US"`, strings.TrimSpace(message))
	return append(b, "</error>\n"...)
}
