package maven

import (
	"context"
	"crypto/md5"  //nolint:gosec // clients ask for it
	"crypto/sha1" //nolint:gosec // clients ask for it
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
	"pakhus/internal/serve"
)

// getMetadata answers GET of a maven-metadata.xml, or of a checksum of one: a
// document made from what is stored, of all packages that the address covers, or
// the one that the project's client sent to be kept.
func (h *Handler) getMetadata(c echo.Context, req *request) error {
	ctx := c.Request().Context()
	all, err := h.find(ctx, req, req.path.Package)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return req.errAbsent()
	}
	if req.path.Signature {
		return h.getSignature(c, req, all)
	}
	if req.path.Kind == KindSnapshotMetadata {
		kind := "maven/snapshot/"
		if req.level != projectLevel {
			kind = "maven/merged/"
		}
		key := registry.DocumentKey{Kind: kind + req.path.Version, Of: registry.Revisions(headsOf(all))}
		return h.sendDocument(c, req, key, func(ctx context.Context) (*registry.Document, error) {
			return h.snapshotDocument(ctx, req, req.path, all)
		})
	}
	plugins, err := h.findChildren(ctx, req, req.path.Package, all)
	if err != nil {
		return err
	}
	key := registry.DocumentKey{Kind: "maven/artifact", Of: registry.Revisions(headsOf(all)) + registry.Revisions(headsOf(plugins))}
	if req.level != projectLevel {
		key.Kind = "maven/merged"
	}
	return h.sendDocument(c, req, key, func(ctx context.Context) (*registry.Document, error) {
		return h.artifactDocument(ctx, req, req.path, all, plugins)
	})
}

// getSignature answers GET of a signature of metadata, which is there when one is
// kept.
func (h *Handler) getSignature(c echo.Context, req *request, all []found) error {
	if req.level != projectLevel {
		return req.errAbsent()
	}
	key := registry.DocumentKey{Kind: "maven/kept/" + req.path.Version + "/" + req.path.Subject, Of: registry.Revisions(headsOf(all))}
	return h.sendDocument(c, req, key, func(ctx context.Context) (*registry.Document, error) {
		doc, err := h.kept(ctx, req, all, req.path)
		if doc == nil {
			doc = &registry.Document{}
		}
		return doc, err
	})
}

// artifactDocument is the document of an artifact and group: the one that is kept,
// or else made.
func (h *Handler) artifactDocument(ctx context.Context, req *request, path Path, all, plugins []found) (*registry.Document, error) {
	if doc, err := h.kept(ctx, req, all, path); doc != nil || err != nil {
		return doc, err
	}
	return h.buildArtifactMetadata(ctx, path, all, plugins)
}

// snapshotDocument is the same of a snapshot version.
func (h *Handler) snapshotDocument(ctx context.Context, req *request, path Path, all []found) (*registry.Document, error) {
	if doc, err := h.kept(ctx, req, all, path); doc != nil || err != nil {
		return doc, err
	}
	return h.buildSnapshotMetadata(ctx, path, all)
}

// sandboxed keeps browsers from running anything in the registry's origin: a
// document that is kept may hold what its client likes.
var sandboxed = [...]string{"default-src 'none'; sandbox"}

// sendDocument sends a prepared document or a checksum of it. An empty one is
// not there; that is remembered as well.
func (h *Handler) sendDocument(c echo.Context, req *request, key registry.DocumentKey, build func(context.Context) (*registry.Document, error)) error {
	doc, err := h.packages.Prepared(c.Request().Context(), key, build)
	if err != nil {
		return err
	}
	if len(doc.Body) == 0 {
		return req.errAbsent()
	}
	serve.Repeatable(c, doc.Expires, nil)
	if req.path.Checksum != "" {
		return sendText(c, req.path.Checksum.Of(doc.Digests), doc.Modified, noCaching)
	}
	header := c.Response().Header()
	setChecksums(header, doc.Digests)
	header["Content-Security-Policy"] = sandboxed[:1:1]
	return serve.Document(c, doc, serve.DocumentMeta{ContentType: contentType(req.path.Subject), CacheControl: noCaching, Vary: "Authorization"})
}

// newDocument makes a document of a body, with its checksums. Its validator
// comes from the bytes: the same state gives the same document, whatever
// happened in between.
func newDocument(body []byte, t timeline) *registry.Document {
	d := digestsOf(body)
	// Metadata tells its time in whole seconds.
	return &registry.Document{Body: body, ETag: serve.ETag(hex.EncodeToString(d.SHA256[:])), Modified: t.changed.Truncate(time.Second), Digests: d, Expires: t.next}
}

func digestsOf(body []byte) registry.Digests {
	return registry.Digests{
		SHA256: sha256.Sum256(body), SHA512: sha512.Sum512(body), Size: int64(len(body)),
		SHA1: sha1.Sum(body), MD5: md5.Sum(body), //nolint:gosec // clients ask for them
	}
}

// findChildren gives the packages that child notes of these packages name:
// plugins of a group, or archetypes of a project.
func (h *Handler) findChildren(ctx context.Context, req *request, base string, all []found) ([]found, error) {
	var children []found
	names, err := h.childNames(ctx, all)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if base != archetypes {
			name = base + "/" + name
		}
		packages, err := h.find(ctx, req, name)
		if err != nil {
			return nil, err
		}
		children = append(children, packages...)
	}
	return children, nil
}

// childNames gives the names in child notes, from memory when nothing changed.
func (h *Handler) childNames(ctx context.Context, all []found) ([]string, error) {
	key := registry.DocumentKey{Kind: "maven/children", Of: registry.Revisions(headsOf(all))}
	doc, err := h.packages.Prepared(ctx, key, func(ctx context.Context) (*registry.Document, error) {
		seen, list := map[string]bool{}, []string{}
		for _, f := range all {
			names, err := h.childrenOf(ctx, f.head.ID)
			if err != nil {
				return nil, err
			}
			for _, name := range names {
				if !seen[name] {
					seen[name] = true
					list = append(list, name)
				}
			}
		}
		return &registry.Document{Body: []byte(strings.Join(list, "\n"))}, nil
	})
	if err != nil || len(doc.Body) == 0 {
		return nil, err
	}
	return strings.Split(string(doc.Body), "\n"), nil
}

// buildArtifactMetadata makes the one document of an artifact and of the group
// that has the same path (maven.md 3.4).
func (h *Handler) buildArtifactMetadata(ctx context.Context, path Path, all, plugins []found) (*registry.Document, error) {
	var t timeline
	m := ArtifactMetadata{}
	if slash := strings.LastIndexByte(path.Package, '/'); slash >= 0 {
		m.GroupID, m.ArtifactID = strings.ReplaceAll(path.Package[:slash], "/", "."), path.Package[slash+1:]
	}
	for _, f := range all {
		versions, err := h.versionsOf(ctx, f.head.ID, &t)
		if err != nil {
			return nil, err
		}
		m.Versions = append(m.Versions, versions...)
	}
	m.Versions = SortVersions(m.Versions)
	m.Updated = t.changed
	for _, f := range plugins {
		facts, ok, err := h.pluginOf(ctx, f.head.ID, &t)
		if err != nil {
			return nil, err
		}
		if ok {
			artifactID := f.head.Key[strings.LastIndexByte(f.head.Key, '/')+1:]
			m.Plugins = append(m.Plugins, Plugin{Name: facts.Name, Prefix: facts.Prefix, ArtifactID: artifactID})
		}
	}
	return newDocument(AppendArtifactMetadata(nil, m), t), nil
}
