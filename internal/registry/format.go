package registry

// Format is a package format, as it appears in URLs, rows and metric labels.
type Format string

// The formats that the registry serves.
const (
	NPM   Format = "npm"
	NuGet Format = "nuget"
	Maven Format = "maven"
)

// Visibility says who may read a project besides its members and tokens.
type Visibility string

// The visibilities, with GitLab's names.
const (
	Private      Visibility = "private"  // members and covering tokens
	InternalOnly Visibility = "internal" // any signed-in user as well
	Public       Visibility = "public"   // everyone
)

// ParseVisibility reads a visibility by its name; anything else is Invalid.
func ParseVisibility(s string) (Visibility, error) {
	switch v := Visibility(s); v {
	case Private, InternalOnly, Public:
		return v, nil
	}
	return "", Errorf(Invalid, "visibility %q is not one of private, internal, public", s)
}
