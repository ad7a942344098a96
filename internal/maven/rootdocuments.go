package maven

import (
	"context"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
)

// getArchetypeCatalog answers GET of archetype-catalog.xml: the archetypes that
// the address covers, by their jars.
func (h *Handler) getArchetypeCatalog(c echo.Context, req *request) error {
	ctx := c.Request().Context()
	all, err := h.find(ctx, req, archetypes)
	if err != nil {
		return err
	}
	if len(all) == 0 || req.path.Signature {
		return req.errAbsent()
	}
	holders, err := h.findChildren(ctx, req, archetypes, all)
	if err != nil {
		return err
	}
	key := registry.DocumentKey{Kind: "maven/archetypes", Of: registry.Revisions(headsOf(holders))}
	return h.sendDocument(c, req, key, func(ctx context.Context) (*registry.Document, error) {
		return h.buildArchetypeCatalog(ctx, holders)
	})
}

func (h *Handler) buildArchetypeCatalog(ctx context.Context, holders []found) (*registry.Document, error) {
	var t timeline
	var list []Archetype
	for _, f := range holders {
		versions, err := h.versionsOf(ctx, f.head.ID, &t)
		if err != nil {
			return nil, err
		}
		notes, err := h.packages.Notes(ctx, registry.NoteQuery{PackageID: f.head.ID, Kind: noteArchetype})
		if err != nil {
			return nil, err
		}
		is := map[string]bool{}
		for _, n := range notes {
			is[n.VersionKey] = true
		}
		slash := strings.LastIndexByte(f.head.Key, '/')
		for _, v := range SortVersions(versions) {
			if is[v] {
				list = append(list, Archetype{GroupID: strings.ReplaceAll(f.head.Key[:slash], "/", "."), ArtifactID: f.head.Key[slash+1:], Version: v})
			}
		}
	}
	return newDocument(AppendArchetypeCatalog(nil, list), t), nil
}

// settingPrefixes switches .meta/prefixes.txt on. Off by default: a client that
// has it does not ask for groups outside of it, nor for a new one while it keeps
// its copy (maven.md 13.2).
const settingPrefixes = "maven_prefixes_file"

// maxPrefixes is how many a client takes.
const maxPrefixes = 100_000

// getPrefixes answers GET of .meta/prefixes.txt of a project: the first two
// segments of all that lies in it. For a group there is none, whatever its
// projects have.
func (h *Handler) getPrefixes(c echo.Context, req *request) error {
	if req.level != projectLevel {
		return req.errAbsent()
	}
	ctx := c.Request().Context()
	on, err := h.packages.Setting(ctx, req.project, settingPrefixes, "false")
	if err != nil {
		return err
	}
	if on != "true" || req.path.Signature {
		return req.errAbsent()
	}
	prefixes, truncated, err := h.childNamesIn(ctx, h.filter(req), "", 2, maxPrefixes)
	if err != nil {
		return err
	}
	if truncated || len(prefixes) == 0 {
		return req.errAbsent() // a part of it would hide the rest
	}
	body := []byte("## repository-prefixes/2.0\n")
	for _, prefix := range prefixes {
		body = append(append(append(body, '/'), prefix...), '\n')
	}
	doc := newDocument(body, timeline{})
	if req.path.Checksum != "" {
		return sendText(c, req.path.Checksum.Of(doc.Digests), time.Time{}, noCaching)
	}
	return sendPlain(c, doc)
}
