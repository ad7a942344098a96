package nuget

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
)

// Bounds of V2 queries.
const (
	maxV2Query = 16 << 10 // bytes of the whole query
	v2PageSize = 100
	// maxV2Skip bounds what a client may skip: what is skipped is read all the same.
	maxV2Skip = 1 << 20
)

// v2Query is what the query of a V2 address asks for.
type v2Query struct {
	filter odataExpr // nil for none
	order  odataOrder
	skip   int
	top    int // negative when the client does not say
	total  bool
	// after is where the page before ended.
	after v2Mark
	// semVer2 says that the client understands SemVer 2: others are not told of
	// such versions.
	semVer2 bool
	options []v2Option // as they came, for the next page and for functions
}

type v2Option struct{ name, value string }

// v2Mark is a place in a feed that is ordered by id and version: behind that
// version, or behind all of the id when there is no version. The zero mark is
// before everything.
type v2Mark struct {
	id      string // key
	version Version
}

// from is the first key that may have entries behind the mark.
func (m v2Mark) from() string {
	if m.id == "" || m.hasVersion() {
		return m.id
	}
	return m.id + "!" // no id has this character, nor one below it
}

func (m v2Mark) hasVersion() bool { return m.version.Original() != "" }

// before tells whether an entry comes behind the mark.
func (m v2Mark) before(e *v2Entry) bool {
	if m.id != e.at.id {
		return m.id < e.at.id
	}
	return m.hasVersion() && m.version.Compare(e.version) < 0
}

// parseV2Query reads the query of an address. Names do not differ by case:
// PSResourceGet sends $orderBy. What is not known of OData's own options is
// refused rather than ignored, because the answer would not be what was asked.
func parseV2Query(raw string) (*v2Query, error) {
	if len(raw) > maxV2Query {
		return nil, registry.Errorf(registry.Invalid, "the query is longer than %d bytes", maxV2Query)
	}
	q := &v2Query{top: -1}
	for part := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(part, "=")
		name, nameErr := url.QueryUnescape(name)
		value, valueErr := url.QueryUnescape(value)
		if nameErr != nil || valueErr != nil {
			return nil, registry.Errorf(registry.Invalid, "the query is not encoded as queries are")
		}
		if name != "" && !q.has(name) {
			q.options = append(q.options, v2Option{name, value})
		}
	}
	for _, o := range q.options {
		if err := q.read(strings.ToLower(o.name), o.value); err != nil {
			return nil, err
		}
	}
	return q, nil
}

// read takes one option.
func (q *v2Query) read(name, value string) (err error) {
	switch name {
	case "$filter":
		if strings.TrimSpace(value) != "" {
			q.filter, err = parseODataFilter(v2Schema, value)
		}
	case "$orderby":
		q.order, err = parseODataOrder(v2Schema, value)
	case "$skip":
		q.skip, err = parseV2Number(value, maxV2Skip)
	case "$top":
		q.top, err = parseV2Number(value, 1<<31-1)
	case "$inlinecount":
		q.total, err = parseV2Choice(value, "allpages", "none")
	case "$count":
		q.total, err = parseV2Choice(value, "true", "false")
	case "$skiptoken":
		q.after, err = parseV2Mark(value)
	case "$format":
		if !strings.EqualFold(value, "atom") && !strings.EqualFold(value, "xml") {
			return echo.NewHTTPError(http.StatusNotAcceptable)
		}
	case "$select": // a client that wants less takes more
	case "semverlevel":
		level, err := ParseVersion(v2Literal(value))
		q.semVer2 = err == nil && level.numbers[0] >= 2
	default:
		if strings.HasPrefix(name, "$") {
			return registry.Errorf(registry.Invalid, "the option %s is not known here", name)
		}
	}
	if err != nil && strings.HasPrefix(name, "$") {
		return registry.Wrapf(registry.Invalid, err, "%s: %s", name, registry.Message(err))
	}
	return nil
}

// has tells whether an option was sent.
func (q *v2Query) has(name string) bool {
	_, ok := q.find(name)
	return ok
}

func (q *v2Query) find(name string) (string, bool) {
	for _, o := range q.options {
		if strings.EqualFold(o.name, name) {
			return o.value, true
		}
	}
	return "", false
}

// text gives the argument of a function; empty when it was not sent.
func (q *v2Query) text(name string) string {
	value, _ := q.find(name)
	return v2Literal(value)
}

// truth gives an argument that is true or false.
func (q *v2Query) truth(name string) (value, sent bool, err error) {
	text := q.text(name)
	if text == "" {
		return false, false, nil
	}
	value, err = parseV2Choice(text, "true", "false")
	if err != nil {
		err = registry.Wrapf(registry.Invalid, err, "%s: %s", name, registry.Message(err))
	}
	return value, true, err
}

// v2Literal takes the quotes off a text. People who type addresses leave them
// out.
func v2Literal(value string) string {
	value = strings.TrimSpace(value)
	if len(value) < 2 || value[0] != '\'' || value[len(value)-1] != '\'' {
		return value
	}
	return strings.ReplaceAll(value[1:len(value)-1], "''", "'")
}

func parseV2Number(value string, limit int) (int, error) {
	n, err := strconv.Atoi(strings.TrimSpace(value))
	if err != nil || n < 0 || n > limit {
		return 0, registry.Errorf(registry.Invalid, "%q is not a number from 0 to %d", value, limit)
	}
	return n, nil
}

func parseV2Choice(value, yes, no string) (bool, error) {
	switch value = strings.TrimSpace(value); {
	case strings.EqualFold(value, yes):
		return true, nil
	case strings.EqualFold(value, no):
		return false, nil
	}
	return false, registry.Errorf(registry.Invalid, "%q is neither %s nor %s", value, yes, no)
}

// parseV2Mark reads what String writes.
func parseV2Mark(value string) (v2Mark, error) {
	tokens, err := lexOData(value)
	if err != nil {
		return v2Mark{}, err
	}
	if len(tokens) != 4 || tokens[0].kind != odataQuoted || !tokens[1].is(",") || tokens[2].kind != odataQuoted {
		return v2Mark{}, registry.Errorf(registry.Invalid, "this is not from a link of this feed")
	}
	id, err := ParseID(tokens[0].text)
	m := v2Mark{id: id.Key()}
	if err == nil && tokens[2].text != "" {
		m.version, err = ParseVersion(tokens[2].text)
	}
	return m, err
}

func (m v2Mark) String() string {
	version := ""
	if m.hasVersion() {
		version = m.version.String()
	}
	return quoteOData(m.id) + "," + quoteOData(version)
}

// withOptions writes the query of another page: the options as they came, but
// for those that are replaced or, with an empty value, left out.
func (q *v2Query) withOptions(replaced ...v2Option) string {
	var b strings.Builder
	write := func(o v2Option) {
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(strings.ReplaceAll(url.QueryEscape(o.name), "%24", "$") + "=" + url.QueryEscape(o.value))
	}
	isReplaced := func(name string) bool {
		for _, r := range replaced {
			if strings.EqualFold(r.name, name) {
				return true
			}
		}
		return false
	}
	for _, o := range q.options {
		if !isReplaced(o.name) {
			write(o)
		}
	}
	for _, r := range replaced {
		if r.value != "" {
			write(r)
		}
	}
	return b.String()
}

// pageSize is how many entries the page may have.
func (q *v2Query) pageSize() int {
	if q.top >= 0 && q.top < v2PageSize {
		return q.top
	}
	return v2PageSize
}

// left tells whether the client wants more than it got, and how much, if it said
// so.
func (q *v2Query) left(got int) (top v2Option, left bool) {
	if q.top < 0 {
		return v2Option{name: "$top"}, true
	}
	return v2Option{"$top", strconv.Itoa(q.top - got)}, q.top > got
}

// isNatural tells whether the order is the one that packages are stored in: by id
// and version. Keys that are the same for all entries change nothing.
func (q *v2Query) isNatural() bool {
	byID := false
	for _, key := range q.order {
		property, ok := key.by.(*odataProperty)
		switch {
		case !ok:
			return false
		case v2Constant[property.column.name]:
		case key.descending:
			return false
		case property.column.isID:
			byID = true
		case byID && property.column.typ == odataVersion:
			return true
		default:
			return false
		}
	}
	return true
}

// mustSeeAll tells whether a page depends on every entry of the list.
func (q *v2Query) mustSeeAll() bool { return q.total || !q.isNatural() }

// v2Constant are the properties that all entries have the same value of.
var v2Constant = map[string]bool{"DownloadCount": true, "VersionDownloadCount": true, "PackageHashAlgorithm": true}
