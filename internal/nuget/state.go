package nuget

import (
	"encoding/json"

	"pakhus/internal/registry"
)

// state is what is stored, as JSON, in a version's row: what may change of it
// beside whether it is listed.
type state struct {
	// SemVer2 is that of the version's Entry, for those who read rows only.
	SemVer2     bool         `json:"semVer2,omitempty"`
	Deprecation *Deprecation `json:"deprecation,omitempty"`
}

// Deprecation says why a version should not be used any more.
type Deprecation struct {
	Reasons []string `json:"reasons"` // Legacy, CriticalBugs, Other; never empty
	Message string   `json:"message,omitempty"`
	// Alternate is the id of the package to use instead, Range what of it: a
	// normalized range, or * for any.
	Alternate string `json:"alternate,omitempty"`
	Range     string `json:"range,omitempty"`
}

func (s state) encode() ([]byte, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return nil, registry.Wrapf(registry.Internal, err, "encode state")
	}
	return b, nil
}

// stateOf is the inverse of encode.
func stateOf(v *registry.Version) (state, error) {
	var s state
	if err := json.Unmarshal(v.State, &s); err != nil {
		return s, registry.Wrapf(registry.Internal, err, "state of version %d", v.ID)
	}
	return s, nil
}
