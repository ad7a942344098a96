package maven

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
	"pakhus/internal/serve"
)

// settingListing switches listings off at the address of a project or a group.
// Clients then find versions by metadata alone.
const settingListing = "maven_directory_listing"

// hasListings tells whether directories are listed at the address. A group's
// address follows the group, not the projects below it. At instance level, as in
// GitLab, nothing is listed.
func (h *Handler) hasListings(ctx context.Context, req *request) (bool, error) {
	var settings registry.Settings
	var err error
	switch req.level {
	case projectLevel:
		settings, err = h.packages.Settings(ctx, req.project)
	case groupLevel:
		settings, err = h.packages.GroupSettings(ctx, req.group)
	default:
		return false, nil
	}
	return settings.Get(settingListing, "true") == "true", err
}

// getListing answers GET of a directory with its slash. Gradle, Ivy and coursier
// read it where there is no metadata.
func (h *Handler) getListing(c echo.Context, req *request) error {
	if on, err := h.hasListings(c.Request().Context(), req); err != nil || !on {
		return cmp.Or(err, req.errAbsent())
	}
	entries, truncated, err := h.entries(c.Request().Context(), req)
	if err != nil {
		return err
	}
	isRoot := len(req.path.Segments) == 0
	if len(entries) == 0 && !isRoot {
		return req.errAbsent()
	}
	if len(entries) == 0 && req.level != projectLevel && req.identity.IsAnonymous() {
		return req.errAbsent()
	}
	body := AppendListing(nil, "/"+req.path.String(), isRoot, SortListing(entries), truncated)
	header := c.Response().Header()
	header.Set("Cache-Control", noCaching)
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; sandbox")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Vary", "Authorization")
	return c.HTMLBlob(http.StatusOK, body)
}

// entries are the direct children of a directory: directories on the way to
// packages, versions, files, and the documents that we make.
func (h *Handler) entries(ctx context.Context, req *request) (list []ListingEntry, truncated bool, err error) {
	segments := req.path.Segments
	dir := strings.Join(segments, "/")
	names, truncated, err := h.childNamesIn(ctx, h.filter(req), dir, 1, maxListing)
	if err != nil {
		return nil, false, err
	}
	for _, name := range names {
		list = append(list, ListingEntry{Name: name, Directory: true, Size: -1})
	}
	if len(segments) == 0 {
		return list, truncated, nil
	}
	all, err := h.find(ctx, req, dir)
	if err != nil {
		return nil, false, err
	}
	if list, err = h.addVersions(ctx, req, all, list); err != nil {
		return nil, false, err
	}
	if len(segments) > 2 {
		version := segments[len(segments)-1]
		list, err = h.addFiles(ctx, req, strings.Join(segments[:len(segments)-1], "/"), version, list)
	}
	return list, truncated, err
}

// addVersions adds the versions of packages, and the metadata that lists them.
func (h *Handler) addVersions(ctx context.Context, req *request, all []found, list []ListingEntry) ([]ListingEntry, error) {
	for _, f := range all {
		notes, err := h.packages.Notes(ctx, registry.NoteQuery{PackageID: f.head.ID, Kind: noteVersion})
		if err != nil {
			return nil, err
		}
		for _, n := range notes {
			seen, err := h.sees(ctx, req, f, n.VersionKey, "")
			if err != nil {
				return nil, err
			}
			if seen {
				list = append(list, ListingEntry{Name: n.VersionKey, Directory: true, Size: -1})
			}
		}
	}
	if len(all) == 0 {
		return list, nil
	}
	plugins, err := h.findChildren(ctx, req, strings.Join(req.path.Segments, "/"), all)
	if err != nil {
		return nil, err
	}
	path := Path{Kind: KindArtifactMetadata, Package: strings.Join(req.path.Segments, "/"), Subject: metadataFile}
	doc, err := h.artifactDocument(ctx, req, path, all, plugins)
	return addDocument(list, metadataFile, doc), err
}

// addFiles adds the files of a version, each with its checksums, and a
// snapshot's metadata. What readers do not see is left out.
func (h *Handler) addFiles(ctx context.Context, req *request, name, version string, list []ListingEntry) ([]ListingEntry, error) {
	all, err := h.find(ctx, req, name)
	if err != nil {
		return nil, err
	}
	for _, f := range all {
		v, err := h.packages.Version(ctx, f.head.ID, version)
		if err != nil {
			if unlessNotFound(err) != nil {
				return nil, err
			}
			continue
		}
		files, err := h.packages.Files(ctx, v.ID)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			seen, err := h.sees(ctx, req, f, version, file.Name)
			if err != nil {
				return nil, err
			}
			if seen && !file.Withheld {
				list = addSums(append(list, ListingEntry{Name: file.Name, Size: file.Blob.Size, Modified: file.CreatedAt}), file.Name, file.CreatedAt)
			}
		}
	}
	if len(all) == 0 || !IsSnapshotVersion(version) {
		return list, nil
	}
	path := Path{Kind: KindSnapshotMetadata, Package: name, Version: version, Subject: metadataFile}
	doc, err := h.snapshotDocument(ctx, req, path, all)
	return addDocument(list, metadataFile, doc), err
}

func addSums(list []ListingEntry, name string, modified time.Time) []ListingEntry {
	for _, a := range Algorithms {
		list = append(list, ListingEntry{Name: name + a.Suffix(), Size: int64(a.hexLen()), Modified: modified})
	}
	return list
}

func addDocument(list []ListingEntry, name string, doc *registry.Document) []ListingEntry {
	if doc == nil || len(doc.Body) == 0 {
		return list
	}
	return addSums(append(list, ListingEntry{Name: name, Size: int64(len(doc.Body)), Modified: doc.Modified}), name, doc.Modified)
}

// sendPlain sends a text document.
func sendPlain(c echo.Context, doc *registry.Document) error {
	setChecksums(c.Response().Header(), doc.Digests)
	return serve.Document(c, doc, serve.DocumentMeta{ContentType: "text/plain; charset=utf-8", CacheControl: noCaching, Vary: "Authorization"})
}
