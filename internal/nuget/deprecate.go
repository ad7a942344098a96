package nuget

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
)

const (
	// maxDeprecations bounds the body of a deprecation, in bytes.
	maxDeprecations = 1 << 20
	// maxMessage bounds the message to users, in characters: the gallery's bound.
	maxMessage = 4000
)

// deprecations is the body of a deprecation, with the gallery's field names. No
// client sends one; people and scripts do.
type deprecations struct {
	Versions                []string `json:"versions"`
	IsLegacy                bool     `json:"isLegacy"`
	HasCriticalBugs         bool     `json:"hasCriticalBugs"`
	IsOther                 bool     `json:"isOther"`
	Message                 string   `json:"message"`
	AlternatePackageID      string   `json:"alternatePackageId"`
	AlternatePackageVersion string   `json:"alternatePackageVersion"` // this one or later; any when empty
}

// putDeprecations answers PUT /:id/deprecations: it deprecates versions, or, when
// no reason is given, takes that back.
func (h *Handler) putDeprecations(c echo.Context, req *request) error {
	d, versions, err := readDeprecations(c.Request().Body)
	if err != nil {
		return err
	}
	ctx, id := c.Request().Context(), req.path.ID
	head, err := h.packages.Package(ctx, req.project.ID, registry.NuGet, id.Key())
	if registry.KindOf(err) == registry.NotFound {
		return errNoPackage(id)
	}
	if err != nil {
		return err
	}
	err = h.edit(ctx, req, head, "deprecate", func(rows []registry.Version) ([]registry.VersionEdit, error) {
		return planDeprecation(id, rows, versions, d)
	})
	if err != nil {
		return err
	}
	return c.NoContent(http.StatusOK)
}

// readDeprecations reads the body; the deprecation is nil when no reason is
// given.
func readDeprecations(body io.Reader) (*Deprecation, []Version, error) {
	raw, err := io.ReadAll(io.LimitReader(body, maxDeprecations+1))
	if err != nil {
		return nil, nil, errBody(err)
	}
	if len(raw) > maxDeprecations {
		return nil, nil, registry.Errorf(registry.TooLarge, "the body is larger than %d bytes", maxDeprecations)
	}
	var d deprecations
	if err := json.Unmarshal(raw, &d); err != nil {
		return nil, nil, registry.Wrapf(registry.Invalid, err, "the body is not a JSON object with versions, reasons and a message")
	}
	if len(d.Versions) == 0 {
		return nil, nil, registry.Errorf(registry.Invalid, "versions is empty: name the versions to deprecate")
	}
	var versions []Version
	for _, text := range d.Versions {
		v, err := ParseVersion(text)
		if err != nil {
			return nil, nil, err
		}
		versions = append(versions, v)
	}
	deprecation, err := d.deprecation()
	return deprecation, versions, err
}

func (d deprecations) deprecation() (*Deprecation, error) {
	var result Deprecation
	for _, r := range []struct {
		given bool
		name  string
	}{{d.IsLegacy, "Legacy"}, {d.HasCriticalBugs, "CriticalBugs"}, {d.IsOther, "Other"}} {
		if r.given {
			result.Reasons = append(result.Reasons, r.name)
		}
	}
	if len(result.Reasons) == 0 {
		return nil, nil
	}
	if utf8.RuneCountInString(d.Message) > maxMessage {
		return nil, registry.Errorf(registry.Invalid, "message is longer than %d characters", maxMessage)
	}
	result.Message = d.Message
	if d.AlternatePackageID == "" {
		return &result, nil
	}
	id, err := ParseID(d.AlternatePackageID)
	if err != nil {
		return nil, err
	}
	result.Alternate, result.Range = id.String(), "*"
	if d.AlternatePackageVersion != "" {
		r, err := ParseRange(d.AlternatePackageVersion)
		if err != nil {
			return nil, err
		}
		result.Range = r.String()
	}
	return &result, nil
}

// planDeprecation changes the state of the versions named, all of which must be
// there.
func planDeprecation(id ID, rows []registry.Version, versions []Version, d *Deprecation) ([]registry.VersionEdit, error) {
	edits := []registry.VersionEdit{}
	for _, version := range versions {
		i := findVersion(rows, version)
		if i < 0 {
			return nil, errNoVersion(id, version)
		}
		if slices.ContainsFunc(edits, func(e registry.VersionEdit) bool { return e.VersionID == rows[i].ID }) {
			continue
		}
		s, err := stateOf(&rows[i])
		if err != nil {
			return nil, err
		}
		s.Deprecation = d
		encoded, err := s.encode()
		if err != nil {
			return nil, err
		}
		edits = append(edits, registry.VersionEdit{VersionID: rows[i].ID, State: encoded})
	}
	return edits, nil
}
