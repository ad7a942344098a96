package nuget

import (
	"net/url"
	"strconv"
)

// mark ends the address of a feed.
const mark = "/packages/nuget"

// place is the part of addresses below a feed that names a version.
type place struct{ id, version string } // keys

func (p place) folder() string { return "/download/" + url.PathEscape(p.id) + "/" + p.version }

func (p place) nupkg() string {
	return p.folder() + "/" + url.PathEscape(p.id) + "." + p.version + ".nupkg"
}

func (p place) leaf() string {
	return "/metadata/" + url.PathEscape(p.id) + "/" + p.version + ".json"
}

// registrationPath is the address of a package's registration below a feed.
func registrationPath(idKey string) string {
	return "/metadata/" + url.PathEscape(idKey) + "/index.json"
}

// packageFile and symbolsFile are the names that a version's files are stored
// under.
func packageFile(idKey, versionKey string) string { return idKey + "." + versionKey + ".nupkg" }

func symbolsFile(idKey, versionKey string) string { return idKey + "." + versionKey + ".snupkg" }

func formatID(id int64) string { return strconv.FormatInt(id, 10) }
