package npm

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
	"pakhus/internal/serve"
)

// form is one of the shapes that a packument is served in.
type form struct {
	kind        registry.FragmentKind
	contentType string
	// withRev adds _rev to the abbreviated document, which npm 8 and later read
	// with write=true before they unpublish (npm.md 9.3).
	withRev bool
	name    string // the form's word in cache keys
}

var (
	fullForm        = form{kind: fullFragment, contentType: "application/json", name: "npm/" + string(fullFragment)}
	abbreviatedForm = form{kind: abbreviatedFragment, contentType: abbreviatedType, name: "npm/" + string(abbreviatedFragment)}
	revForm         = form{kind: abbreviatedFragment, contentType: abbreviatedType, withRev: true, name: "npm/" + string(abbreviatedFragment) + "+rev"}
)

const abbreviatedType = "application/vnd.npm.install-v1+json"

// chooseForm negotiates between the full and the abbreviated document by the
// q-values of Accept. Unknown types get the full one, never 406.
func chooseForm(c echo.Context) form {
	switch {
	case !prefersAbbreviated(c.Request().Header["Accept"]):
		return fullForm
	case toWrite(c):
		return revForm
	}
	return abbreviatedForm
}

// toWrite tells whether the client is about to change what it reads.
func toWrite(c echo.Context) bool {
	return c.Request().URL.RawQuery != "" && c.QueryParam("write") == "true"
}

// getPackument answers GET /:name.
func (h *Handler) getPackument(c echo.Context, req *request) error {
	ctx := c.Request().Context()
	all, err := h.find(ctx, req)
	if err != nil {
		return err
	}
	f := chooseForm(c)
	key := registry.DocumentKey{Kind: f.name, Of: revisions(all), Base: req.base}
	return serve.Prepared(c, h.packages, key, modified(all), serve.DocumentMeta{
		ContentType: f.contentType, CacheControl: documentCaching(c, all), Vary: "Accept, Accept-Encoding, Authorization",
	}, func(ctx context.Context) ([]byte, error) { return h.buildPackument(ctx, req, all, f) })
}

func revisions(all []found) string {
	heads := make([]registry.Package, 0, 4) // on the stack
	for _, f := range all {
		heads = append(heads, f.head)
	}
	return registry.Revisions(heads)
}

func modified(all []found) time.Time { return all[len(all)-1].head.UpdatedAt }

// documentCaching lets clients keep documents, but ask each time: a publish must
// be visible at once. Only what anyone may read may be kept by shared caches.
func documentCaching(c echo.Context, all []found) string {
	switch {
	case toWrite(c):
		return "no-cache"
	case everyonesOwn(c, all):
		return "public, max-age=0, must-revalidate"
	}
	return "private, max-age=0, must-revalidate"
}

// everyonesOwn tells whether an anonymous caller gets the same answer.
func everyonesOwn(c echo.Context, all []found) bool {
	return auth.From(c.Request().Context()).IsAnonymous() &&
		!slices.ContainsFunc(all, func(f found) bool { return f.project.Visibility != registry.Public })
}

// entry is one version of a packument.
type entry struct {
	version  registry.Version
	fragment []byte
	from     found
}

// contents is what a packument is made of. At group level it merges the
// packages of several projects: of a version that two of them have, the one
// published last counts, and so does the tag of the package changed last.
type contents struct {
	entries []entry // in publish order
	tags    map[string]string
	index   map[string]int // version to entry
}

// load reads the rows of a packument; without living versions it is NotFound.
func (h *Handler) load(ctx context.Context, name Name, all []found, kind registry.FragmentKind) (*contents, error) {
	c := &contents{tags: map[string]string{}, index: map[string]int{}}
	for _, f := range all {
		if err := h.loadOne(ctx, c, f, kind); err != nil {
			return nil, err
		}
	}
	if len(all) > 1 {
		c.merge()
	}
	for i, e := range c.entries {
		c.index[e.version.Version] = i
	}
	for tag, version := range c.tags {
		if _, ok := c.index[version]; !ok { // unpublished while we read
			delete(c.tags, tag)
		}
	}
	if len(c.entries) == 0 {
		return nil, errNoPackage(name)
	}
	return c, nil
}

// loadOne reads one package: tags first, so that they name versions that were
// there before the versions were read.
func (h *Handler) loadOne(ctx context.Context, c *contents, f found, kind registry.FragmentKind) error {
	tags, err := h.packages.Tags(ctx, f.head.ID)
	if err != nil {
		return err
	}
	for tag, version := range tags {
		c.tags[tag] = version
	}
	versions, err := h.packages.Versions(ctx, f.head.ID)
	if err != nil {
		return err
	}
	fragments := map[int64][]byte{}
	if kind != "" {
		list, err := h.packages.Fragments(ctx, f.head.ID, kind)
		if err != nil {
			return err
		}
		fragments = make(map[int64][]byte, len(list))
		for _, fragment := range list {
			fragments[fragment.VersionID] = fragment.Data
		}
	}
	for _, v := range versions {
		data, ok := fragments[v.ID]
		if v.Status == registry.Deleted || (kind != "" && !ok) {
			continue
		}
		c.entries = append(c.entries, entry{version: v, fragment: data, from: f})
	}
	return nil
}

// merge orders the entries of several packages by time and keeps the last of
// each version.
func (c *contents) merge() {
	slices.SortStableFunc(c.entries, func(a, b entry) int { return a.version.CreatedAt.Compare(b.version.CreatedAt) })
	last := map[string]int{}
	for i, e := range c.entries {
		last[e.version.Version] = i
	}
	kept := c.entries[:0]
	for i, e := range c.entries {
		if last[e.version.Version] == i {
			kept = append(kept, e)
		}
	}
	c.entries = kept
}

// latest is the version that the package's own fields come from.
func (c *contents) latest() entry {
	if i, ok := c.index[c.tags["latest"]]; ok {
		return c.entries[i]
	}
	return c.entries[len(c.entries)-1]
}

// buildPackument concatenates the prepared fragments of all versions.
func (h *Handler) buildPackument(ctx context.Context, req *request, all []found, f form) ([]byte, error) {
	name := req.path.Name
	c, err := h.load(ctx, name, all, f.kind)
	if err != nil {
		return nil, err
	}
	size := 4096
	for _, e := range c.entries {
		size += len(e.fragment) + len(req.base) + 2*len(e.version.Version) + 160
	}
	b := make([]byte, 0, size)
	b = append(b, '{')
	if f.kind == fullFragment {
		b = appendField(b, "_id", name.String())
	}
	if f.kind == fullFragment || f.withRev {
		b = appendField(b, "_rev", rev(all[len(all)-1].head))
	}
	b = appendField(b, "name", name.String())
	b = appendTags(append(b, `"dist-tags":`...), c.tags)
	b = h.appendVersions(append(b, `,"versions":`...), req, c)
	b = appendTimes(append(b, `,"time":`...), c, all)
	if f.kind == abbreviatedFragment {
		b = append(b, `,"modified":"`...)
		return append(appendTime(b, modified(all)), `"}`...), nil
	}
	return h.appendTop(ctx, b, c, all)
}

func (h *Handler) appendVersions(b []byte, req *request, c *contents) []byte {
	b = append(b, '{')
	var before, after string
	for i, e := range c.entries {
		if i > 0 {
			b = append(b, ',')
		}
		if i == 0 || e.from.project.ID != c.entries[i-1].from.project.ID {
			before, after = h.tarballURLs(req.base, e.from.project.ID, req.path.Name)
		}
		b = append(serve.AppendJSON(b, e.version.Version), ':')
		b = appendVersion(b, e, before, after)
	}
	return append(b, '}')
}

// appendVersion ends a version's fragment with its tarball's address.
func appendVersion(b []byte, e entry, before, after string) []byte {
	b = append(b, e.fragment...)
	b = append(append(append(b, before...), e.version.Version...), after...)
	return append(b, `"}}`...)
}

// appendTop adds the package's own fields, which are those of its latest
// version, and closes the document.
func (h *Handler) appendTop(ctx context.Context, b []byte, c *contents, all []found) ([]byte, error) {
	latest := c.latest()
	b = append(b, `,"maintainers":[{"name":`...)
	b = append(serve.AppendJSON(b, latest.version.PublishedBy), `,"email":""}]`...)
	var stars []string
	for _, f := range all {
		users, err := h.packages.Stars(ctx, f.head.ID)
		if err != nil {
			return nil, err
		}
		stars = append(stars, users...)
	}
	if len(stars) > 0 {
		slices.Sort(stars)
		b = append(b, `,"users":{`...)
		for i, user := range slices.Compact(stars) {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(serve.AppendJSON(b, user), `:true`...)
		}
		b = append(b, '}')
	}
	top, err := h.packages.Fragment(ctx, latest.version.ID, topFragment)
	if err != nil {
		return nil, err
	}
	if len(top) > 2 { // an object with fields: take them in
		b = append(append(b, ','), top[1:len(top)-1]...)
	}
	return append(b, '}'), nil
}

func appendTags(b []byte, tags map[string]string) []byte {
	names := make([]string, 0, len(tags))
	for tag := range tags {
		names = append(names, tag)
	}
	slices.Sort(names)
	b = append(b, '{')
	for i, tag := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(serve.AppendJSON(b, tag), ':')
		b = serve.AppendJSON(b, tags[tag])
	}
	return append(b, '}')
}

// appendTimes writes when the package and each version came. Clients with an age
// gate refuse versions without a time (npm.md 0.2).
func appendTimes(b []byte, c *contents, all []found) []byte {
	created := all[0].head.CreatedAt
	for _, f := range all {
		if f.head.CreatedAt.Before(created) {
			created = f.head.CreatedAt
		}
	}
	b = append(appendTime(append(b, `{"created":"`...), created), `","modified":"`...)
	b = append(appendTime(b, modified(all)), '"')
	for _, e := range c.entries {
		b = append(b, ',')
		b = append(serve.AppendJSON(b, e.version.Version), `:"`...)
		b = append(appendTime(b, e.version.CreatedAt), '"')
	}
	return append(b, '}')
}

// rev is the package's _rev: its revision, and a part that tells packages of the
// same name apart. It is the client's proof of what it read.
func rev(p registry.Package) string {
	return strconv.FormatInt(p.Revision, 10) + "-" + strconv.FormatInt(p.ID, 16)
}

func appendField(b []byte, name, value string) []byte {
	b = append(serve.AppendJSON(b, name), ':')
	return append(serve.AppendJSON(b, value), ',')
}

func appendTime(b []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
}
