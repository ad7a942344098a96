package npm

import "strings"

// Kind is what a path names. The zero Kind names nothing.
type Kind int

// The kinds of paths below a registry's address.
const (
	_ Kind = iota

	KindRoot
	KindPackument
	KindPackumentRev
	KindVersion // a version, a dist-tag or a range
	KindTarball
	KindTarballRev

	KindDistTags
	KindDistTag
	KindVisibility
	KindAccess
	KindCollaborators
	KindOwners
	KindOwner
	KindOrgPackages
	KindOrgUsers
	KindOrgTeams
	KindTeamPackages
	KindTeamUsers
	KindUserPackages

	KindBatchPublish
	KindStar
	KindStarred
	KindSearch
	KindAll

	KindLogin
	KindUser
	KindUserRev
	KindLogout
	KindWhoami
	KindPing
	KindProfile
	KindTokens
	KindToken

	KindAuditBulk
	KindAuditQuick
	KindAudits
	KindKeys
	KindAttestations

	kindCount
)

// patterns are the paths of all kinds. A part that begins with a colon stands
// for one segment, but :name for one or two.
var patterns = [kindCount]string{
	KindRoot:         "/",
	KindPackument:    "/:name",
	KindPackumentRev: "/:name/-rev/:rev",
	KindVersion:      "/:name/:version",
	KindTarball:      "/:name/-/:file",
	KindTarballRev:   "/:name/-/:file/-rev/:rev",

	KindDistTags:      "/-/package/:name/dist-tags",
	KindDistTag:       "/-/package/:name/dist-tags/:tag",
	KindVisibility:    "/-/package/:name/visibility",
	KindAccess:        "/-/package/:name/access",
	KindCollaborators: "/-/package/:name/collaborators",
	KindOwners:        "/-/package/:name/owners",
	KindOwner:         "/-/package/:name/owners/:user",
	KindOrgPackages:   "/-/org/:user/package",
	KindOrgUsers:      "/-/org/:user/user",
	KindOrgTeams:      "/-/org/:user/team",
	KindTeamPackages:  "/-/team/:user/:team/package",
	KindTeamUsers:     "/-/team/:user/:team/user",
	KindUserPackages:  "/-/user/:user/package",

	KindBatchPublish: "/-/pnpm/v1/publish",
	KindStar:         "/-/user/v1/star",
	KindStarred:      "/-/_view/starredByUser",
	KindSearch:       "/-/v1/search",
	KindAll:          "/-/all",

	KindLogin:   "/-/v1/login",
	KindUser:    "/-/user/org.couchdb.user::user",
	KindUserRev: "/-/user/org.couchdb.user::user/-rev/:rev",
	KindLogout:  "/-/user/token/:token",
	KindWhoami:  "/-/whoami",
	KindPing:    "/-/ping",
	KindProfile: "/-/npm/v1/user",
	KindTokens:  "/-/npm/v1/tokens",
	KindToken:   "/-/npm/v1/tokens/token/:token",

	KindAuditBulk:    "/-/npm/v1/security/advisories/bulk",
	KindAuditQuick:   "/-/npm/v1/security/audits/quick",
	KindAudits:       "/-/npm/v1/security/audits",
	KindKeys:         "/-/npm/v1/keys",
	KindAttestations: "/-/npm/v1/attestations/:name@:version",
}

// Pattern is the path of the kind with placeholders, for labels of metrics; it
// is empty for the zero Kind.
func (k Kind) Pattern() string {
	if k < 0 || k >= kindCount {
		return ""
	}
	return patterns[k]
}

// String is the pattern.
func (k Kind) String() string { return k.Pattern() }

// metaPattern is a pattern of the space below /-/, split.
type metaPattern struct {
	kind  Kind
	parts []string // without the first, which is -
}

// metaPatterns are in the order of the kinds: of two that match, the first
// counts, so /-/user/v1/star is no user's package list.
var metaPatterns = splitMetaPatterns()

func splitMetaPatterns() []metaPattern {
	var split []metaPattern
	for kind, pattern := range patterns {
		if rest, ok := strings.CutPrefix(pattern, "/-/"); ok {
			split = append(split, metaPattern{Kind(kind), strings.Split(rest, "/")})
		}
	}
	return split
}
