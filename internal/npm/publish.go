package npm

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
)

// repeatWindow is how long the same publish by the same publisher counts as a
// retry: npm sends a PUT again whose answer was lost (npm.md 7.4).
const repeatWindow = 10 * time.Minute

// putPackument answers PUT /:name and PUT /:name/-rev/:rev: a publish when there
// is a tarball in the body, else a change of what is there.
func (h *Handler) putPackument(c echo.Context, req *request) error {
	doc, err := h.readDocument(c, req)
	if err != nil {
		return err
	}
	defer doc.Close()
	if doc.Name != "" || doc.ID != "" {
		if err := checkDocumentName(doc, req.path.Name); err != nil {
			return err
		}
	}
	if len(doc.Attachments) == 0 {
		return h.putMetadata(c, req, doc)
	}
	return h.publish(c, req, []*Document{doc})
}

// putBatch answers pnpm publish --batch: all documents in one transaction.
func (h *Handler) putBatch(c echo.Context, req *request) error {
	body, err := expand(c.Request().Body, c.Request().Header.Get("Content-Encoding"))
	if err != nil {
		return err
	}
	docs, err := DecodeBatch(body, h.decodeOptions(c, req))
	if err != nil {
		return err
	}
	defer func() {
		for _, doc := range docs {
			doc.Close()
		}
	}()
	return h.publish(c, req, docs)
}

func (h *Handler) readDocument(c echo.Context, req *request) (*Document, error) {
	body, err := expand(c.Request().Body, c.Request().Header.Get("Content-Encoding"))
	if err != nil {
		return nil, err
	}
	return DecodeDocument(body, h.decodeOptions(c, req))
}

// decodeOptions give the decoder spools for tarballs, unless the caller may
// change metadata only: then the first byte of a tarball ends the request.
func (h *Handler) decodeOptions(c echo.Context, req *request) DecodeOptions {
	return DecodeOptions{NewSpool: func() (*registry.Spool, error) {
		if req.level != projectLevel {
			return nil, h.errPublishHere()
		}
		if err := auth.Allow(req.identity, auth.Publish, req.project); err != nil {
			return nil, err
		}
		return h.packages.Spool(h.opts.MaxUpload), nil
	}}
}

func (h *Handler) errPublishHere() error {
	return registry.Errorf(registry.Forbidden, "403 Forbidden - packages cannot be published at group or instance level: use the address of a project, %s", h.projectHint())
}

// maySendMetadata lets users who may read, but not publish, send a body: a star
// is a PUT of the document. Whatever else is in it meets the gate again.
func (h *Handler) maySendMetadata(c echo.Context, req *request) bool {
	return req.path.Kind == KindPackument && c.Request().Method == http.MethodPut && req.identity.Kind == auth.UserIdentity &&
		c.Request().ContentLength >= 0 && c.Request().ContentLength <= maxSmallBody &&
		auth.Allow(req.identity, auth.Read, req.project) == nil
}

func checkDocumentName(doc *Document, name Name) error {
	for field, value := range map[string]string{"name": doc.Name, "_id": doc.ID} {
		if value != "" && value != name.String() {
			return registry.Errorf(registry.Invalid, "%s is %q in the body and %q in the address", field, value, name)
		}
	}
	return nil
}

// publish checks every document and stores all new versions in one transaction,
// or none.
func (h *Handler) publish(c echo.Context, req *request, docs []*Document) error {
	ctx := c.Request().Context()
	if len(docs) == 0 {
		return registry.Errorf(registry.Invalid, "packages is empty")
	}
	var pubs []registry.Publication
	var repeated registry.Package
	for _, doc := range docs {
		p, err := h.plan(ctx, req, doc)
		if err != nil {
			return err
		}
		if p.notice != "" {
			c.Response().Header().Set("Npm-Notice", p.notice)
		}
		if p.existing != nil {
			repeated = *p.existing
			continue
		}
		pubs = append(pubs, p.publication)
	}
	if len(pubs) == 0 {
		return answerWritten(c, repeated)
	}
	heads, err := h.packages.Publish(ctx, pubs)
	if registry.KindOf(err) == registry.Conflict {
		return errPublished(pubs[0].Versions[0].Version)
	}
	if err != nil {
		return err
	}
	return answerWritten(c, heads[0])
}

func answerWritten(c echo.Context, head registry.Package) error {
	return c.JSON(http.StatusOK, written{OK: true, Success: true, ID: head.Name, Rev: rev(head)})
}

// errPublished is worded so that release tools recognise it: some look for
// npm's words and some for GitLab's (npm.md 7.3). The kind is Forbidden because
// npm 6 with --force would unpublish after a 409.
func errPublished(version string) error {
	return registry.Errorf(registry.Forbidden,
		"403 Forbidden - You cannot publish over the previously published versions: %s. Package already exists.", version)
}

// planned is a checked document.
type planned struct {
	publication registry.Publication
	// existing is set instead when the document repeats a publish that succeeded.
	existing *registry.Package
	notice   string // for the publisher; npm prints it
}

// plan checks one document (npm.md 7.2) and says what to store.
func (h *Handler) plan(ctx context.Context, req *request, doc *Document) (planned, error) {
	name, err := ParseName(doc.Name)
	if err != nil {
		return planned{}, err
	}
	if doc.ID != "" && doc.ID != doc.Name {
		return planned{}, registry.Errorf(registry.Invalid, "_id is %q and name is %q", doc.ID, doc.Name)
	}
	head, err := h.headOf(ctx, req.project.ID, name)
	if err != nil {
		return planned{}, err
	}
	raw, err := h.newVersionOf(ctx, head, doc)
	if err != nil {
		return planned{}, err
	}
	up, err := receive(doc, name, raw)
	if err != nil {
		return planned{}, err
	}
	if head.ID != 0 {
		repeat, err := h.checkDuplicate(ctx, req, head, up)
		if err != nil {
			return planned{}, err
		}
		if repeat {
			return planned{existing: &head}, nil
		}
	}
	if err := h.packages.WriteAhead(ctx, up.spool); err != nil {
		return planned{}, err
	}
	if err := h.inspect(&up, name, raw); err != nil {
		return planned{}, err
	}
	p := planned{}
	switch {
	case len(up.differ) > 0:
		p.notice = "the manifest differs from package.json in the tarball: " + strings.Join(up.differ, ", ")
	case len(doc.Sigstore) > 0:
		p.notice = "the provenance statement was not stored: this registry keeps no attestations"
	}
	p.publication, err = h.publication(ctx, req, head, name, doc, up)
	return p, err
}

// headOf finds the package of a project; the zero Package stands for a new one,
// whose name is checked.
func (h *Handler) headOf(ctx context.Context, projectID int64, name Name) (registry.Package, error) {
	head, err := h.packages.Package(ctx, projectID, registry.NPM, name.Key())
	if registry.KindOf(err) != registry.NotFound {
		return head, err
	}
	if err := name.CheckNew(); err != nil {
		return registry.Package{}, err
	}
	return registry.Package{}, h.checkTwin(ctx, projectID, name)
}

// newVersionOf picks the version that a document publishes. A document normally
// has one. Merged documents (npm 6 to 9 after a 409, mirrors) repeat what is
// stored beside exactly one new version.
func (h *Handler) newVersionOf(ctx context.Context, head registry.Package, doc *Document) (RawVersion, error) {
	switch len(doc.Versions) {
	case 0:
		return RawVersion{}, registry.Errorf(registry.Invalid, "versions is empty")
	case 1:
		return doc.Versions[0], nil
	}
	if head.ID == 0 {
		return RawVersion{}, registry.Errorf(registry.Invalid, "versions holds %d new versions: publish one at a time", len(doc.Versions))
	}
	stored, err := h.storedManifests(ctx, head)
	if err != nil {
		return RawVersion{}, err
	}
	var fresh []RawVersion
	for _, v := range doc.Versions {
		manifest, ok := stored[v.Key]
		if !ok {
			fresh = append(fresh, v)
			continue
		}
		if err := sameManifest(v, manifest); err != nil {
			return RawVersion{}, err
		}
	}
	switch len(fresh) {
	case 0:
		return RawVersion{}, errPublished(doc.Versions[len(doc.Versions)-1].Key)
	case 1:
		return fresh[0], nil
	}
	return RawVersion{}, registry.Errorf(registry.Invalid, "versions holds %d new versions: publish one at a time", len(fresh))
}

// checkDuplicate refuses a version that exists or existed. The same bytes by the
// same publisher a moment ago are a repeat and succeed.
func (h *Handler) checkDuplicate(ctx context.Context, req *request, head registry.Package, up upload) (repeat bool, err error) {
	v, err := h.packages.Version(ctx, head.ID, up.version)
	if registry.KindOf(err) == registry.NotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if v.Status == registry.Deleted {
		return false, registry.Errorf(registry.Forbidden,
			"403 Forbidden - version %s was unpublished and cannot be published again: others may have locked its old content. Publish a new version", up.version)
	}
	state, err := stateOf(v)
	if err != nil {
		return false, err
	}
	fresh := h.packages.Now().Sub(v.CreatedAt) < repeatWindow
	if fresh && state.Integrity == up.integrity() && v.PublishedBy == req.identity.Name {
		return true, nil
	}
	return false, errPublished(up.version)
}

// publication turns a checked upload into rows.
func (h *Handler) publication(ctx context.Context, req *request, head registry.Package, name Name, doc *Document, up upload) (registry.Publication, error) {
	tags, isLatest, err := h.tagsOf(ctx, head, doc, up.version)
	if err != nil {
		return registry.Publication{}, err
	}
	by := person{Name: req.identity.Name, Email: req.identity.Email}
	state := newState(up, by)
	if h.opts.Signer != nil {
		signature, err := h.opts.Signer.sign(name.String(), up.version, state.Integrity)
		if err != nil {
			return registry.Publication{}, err
		}
		state.Signatures = []Signature{signature}
	}
	fragments, err := fragmentsOf(up.manifest.JSON, state)
	if err != nil {
		return registry.Publication{}, err
	}
	readme := up.manifest.Readme
	if readme == "" {
		readme = doc.Readme
	}
	if fragments[topFragment], err = TopFragment(up.manifest.JSON, readme, up.manifest.ReadmeFilename); err != nil {
		return registry.Publication{}, err
	}
	encoded, err := encodeState(state)
	if err != nil {
		return registry.Publication{}, err
	}
	version, err := ParseVersion(up.version)
	if err != nil {
		return registry.Publication{}, err
	}
	pub := registry.Publication{
		ProjectID: req.project.ID, Format: registry.NPM, Name: name.String(), Key: name.Key(), Tags: tags, By: req.identity.Actor(),
		Versions: []registry.NewVersion{{
			Version: up.version, Key: up.version, SortKey: version.SortKey(), Manifest: up.manifest.JSON, State: encoded,
			Fragments: fragments, Files: []registry.NewFile{{Name: tarballFile(name, up.version), Body: up.spool}},
		}},
	}
	if isLatest {
		pub.Listing, err = newListing(name, up.version, up.manifest.JSON, by, string(appendTime(nil, h.packages.Now())))
	}
	return pub, err
}

// tagsOf checks the tags that a document sets. The first version becomes latest
// whatever its tag is: yarn and pnpm fail without (npm.md 3.3).
func (h *Handler) tagsOf(ctx context.Context, head registry.Package, doc *Document, version string) (tags []registry.TagChange, isLatest bool, err error) {
	for _, tag := range slices.Sorted(maps.Keys(doc.DistTags)) {
		if err := CheckTag(tag); err != nil {
			return nil, false, err
		}
		target := doc.DistTags[tag]
		switch {
		case target == version:
			tags = append(tags, registry.TagChange{Tag: tag, VersionKey: version})
			isLatest = isLatest || tag == latestTag
		case len(doc.Versions) == 1:
			return nil, false, registry.Errorf(registry.Invalid, "dist-tags[%q] is %q, but the version published is %s", tag, target, version)
		}
	}
	if isLatest {
		return tags, true, nil
	}
	if head.ID != 0 {
		stored, err := h.packages.Tags(ctx, head.ID)
		if err != nil {
			return nil, false, err
		}
		_, hasLatest := stored[latestTag]
		isLatest = !hasLatest
	} else {
		isLatest = true
	}
	return append(tags, registry.TagChange{Tag: latestTag, VersionKey: version, IfAbsent: true}), isLatest, nil
}
