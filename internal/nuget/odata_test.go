package nuget

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pakhus/internal/registry"
)

// testRow is an entry; what it lacks is null.
type testRow map[string]odataValue

func (r testRow) propertyOf(name string) (odataValue, bool) {
	v, ok := r[name]
	return v, ok
}

var testSchema = newODataSchema(
	odataColumn{name: "Id", typ: odataText, isID: true}, odataColumn{name: "Version", typ: odataVersion},
	odataColumn{name: "NormalizedVersion", typ: odataVersion}, odataColumn{name: "Tags", typ: odataText},
	odataColumn{name: "Title", typ: odataText}, odataColumn{name: "Description", typ: odataText},
	odataColumn{name: "IsLatestVersion", typ: odataBool}, odataColumn{name: "IsPrerelease", typ: odataBool},
	odataColumn{name: "DownloadCount", typ: odataNumber}, odataColumn{name: "Published", typ: odataTime},
)

// row makes an entry; without a title, which is null.
func row(t testing.TB, id, version string) testRow {
	t.Helper()
	v, err := ParseVersion(version)
	if err != nil {
		t.Fatal(err)
	}
	return testRow{
		"Id": odataTextOf(id), "Version": odataVersionOf(v), "NormalizedVersion": odataVersionOf(v), "Tags": odataTextOf(" PSModule log "),
		"Description": odataTextOf("Writes logs, says O'Neil"), "IsLatestVersion": odataTruth(true), "IsPrerelease": odataTruth(v.IsPrerelease()),
		"DownloadCount": odataNumberOf(7), "Published": odataTimeOf(time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)),
	}
}

func TestODataFilter(t *testing.T) {
	tests := []struct {
		name, filter string
		want         bool
	}{
		// As clients send them (nuget.md 12.2).
		{"chocolatey by id", "(tolower(Id) eq 'acme.log') and IsLatestVersion", true},
		{"chocolatey, another id", "(tolower(Id) eq 'acme.lo') and IsLatestVersion", false},
		{"fall-back search", "((((Id ne null) and substringof('zzz',tolower(Id))) or ((Description ne null) and substringof('zzz',tolower(Description)))) or ((Tags ne null) and substringof(' log ',tolower(Tags)))) and IsLatestVersion", true},
		{"fall-back search that finds nothing", "((Id ne null) and substringof('zzz',tolower(Id))) or ((Title ne null) and substringof('zzz',tolower(Title))) and IsLatestVersion", false},
		{"Paket", "Id eq 'Acme.Log'", true},
		{"PSResourceGet tag", "substringof('PSModule', Tags) eq true", true},
		{"PSResourceGet wildcard", "startswith(Id,'acme') and endswith(Id,'log') and IsPrerelease eq false", true},
		{"PSResourceGet range", "NormalizedVersion ge '1.9.0' and NormalizedVersion lt '1.11'", true},

		// Versions are compared as versions.
		{"a version is no text", "NormalizedVersion gt '1.9.0'", true},
		{"a version in another spelling", "Version eq '1.10'", true},
		{"a version on the left", "'1.9' lt Version", true},
		{"two versions", "Version eq NormalizedVersion", true},
		{"a version as text", "startswith(Version,'1.1')", true},
		{"prerelease before release", "Version gt '1.10.0-rc'", true},

		// Case does not count in ids, texts, operators and names of properties.
		{"id in another case", "Id eq 'ACME.LOG'", true},
		{"property in another case", "id eq 'Acme.Log' AND islatestversion", true},
		{"substring in another case", "substringof('WRITES',Description)", true},

		{"not binds before eq", "not IsPrerelease eq true", true},
		{"not of parentheses", "not (IsPrerelease or IsLatestVersion)", false},
		{"and binds before or", "IsLatestVersion or IsLatestVersion and IsPrerelease", true},
		{"parentheses", "(IsLatestVersion or IsLatestVersion) and IsPrerelease", false},
		{"order binds before equality", "DownloadCount gt 5 eq true", true},
		{"quote in a text", "substringof('o''neil',Description)", true},
		{"empty text", "Description ne ''", true},
		{"number", "DownloadCount ge 7 and DownloadCount lt 7.5", true},
		{"negative number", "DownloadCount gt -1", true},
		{"number with its type", "DownloadCount eq 7L", true},
		{"number with an exponent", "DownloadCount lt 1e+2", true},
		{"time", "Published gt datetime'2026-02-28T23:59:59' and Published le datetime'2026-03-01T10:00:00Z'", true},
		{"time without seconds", "Published eq datetime'2026-03-01T10:00'", true},
		{"day", "Published lt datetime'2026-03-01'", false},
		{"index", "indexof(Id,'LOG') eq 5 and indexof(Id,'x') eq -1", true},
		{"length", "length(Id) eq 8", true},
		{"concat and trim", "concat(trim(' a '),'b') eq 'AB'", true},
		{"toupper", "toupper(Id) eq 'ACME.LOG'", true},
		{"line break", "Id eq\n'Acme.Log'", true},

		// Null, which the title is.
		{"null equals null", "Title eq null", true},
		{"null on the left", "null ne Title", false},
		{"null is no text", "Title eq ''", false},
		{"null is not that text", "Title ne 'x'", true},
		{"null is not below", "Title lt 'x'", false},
		{"null is not above", "Title ge null", false},
		{"function of null", "substringof('x',Title)", false},
		{"not null", "not substringof('x',Title)", false},
		{"comparison of a function of null", "tolower(Title) eq null", true},
		{"null as a condition", "null or IsLatestVersion", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := parseODataFilter(testSchema, tt.filter)
			if err != nil {
				t.Fatal(err)
			}
			if got := e.eval(row(t, "Acme.Log", "1.10.0")).isTrue(); got != tt.want {
				t.Errorf("got %v, want %v: %s", got, tt.want, printOData(e))
			}
		})
	}
}

func TestODataFilterRefused(t *testing.T) {
	tests := []struct{ name, filter, text string }{
		{"empty", "", "the expression ends too early"},
		{"property", "Name eq 'x'", "there is no property Name"},
		{"function", "substring(Id,1) eq 'x'", "there is no function substring here"},
		{"a function by its name alone", "tolower eq 'x'", "there is no property tolower"},
		{"too few arguments", "startswith(Id)", ", was expected, not )"},
		{"too many arguments", "tolower(Id,Id) eq 'x'", ") was expected, not ,"},
		{"open quote", "Id eq 'x", "a text has no closing quote"},
		{"open parenthesis", "(Id eq 'x'", ") was expected, not the end"},
		{"closing parenthesis", "Id eq 'x')", ") was not expected here"},
		{"no right side", "Id eq", "the expression ends too early"},
		{"two comparisons", "IsLatestVersion eq true eq true", "eq was not expected here"},
		{"operator", "DownloadCount add 1 eq 8", "add was not expected here"},
		{"character", "Id = 'x' & 1", "'&' means nothing in an expression"},
		{"equals sign", "Id = 'x'", "= was not expected here"},
		{"not a condition", "Id", "Id is text where a truth value is needed"},
		{"text as a condition", "IsLatestVersion and Id", "Id is text where a truth value is needed"},
		{"not of text", "not Id", "Id is text where a truth value is needed"},
		{"text and number", "Id eq 1", "Id is text and 1 is a number: eq does not compare them"},
		{"order of truth", "IsLatestVersion gt false", "IsLatestVersion is a truth value and false is a truth value: gt does not compare them"},
		{"number in a function", "tolower(1) eq 'x'", "1 is a number where text is needed"},
		{"no version", "NormalizedVersion gt 'new'", `"new" is not a version: it must be like 1.2.3, 1.2.3.4 or 1.2.3-beta.1`},
		{"version and text", "Version eq Title", "Title is not a version"},
		{"number with two points", "DownloadCount eq 1.2.3", "1.2.3 is not a number"},
		{"hexadecimal number", "DownloadCount eq 0x10", "0x10 is not a number"},
		{"number too large", "DownloadCount eq 1e999", "1e999 is not a number"},
		{"no number", "DownloadCount eq -inf", "-inf is not a number"},
		{"no time", "Published gt datetime'yesterday'", "datetime'yesterday' is not a time like 2026-03-01T10:00:00"},
		{"literal of another type", "Id eq guid'1'", "guid'..' is not a literal that is known here"},
		{"not UTF-8", "Id eq '\xff'", "the expression is not text in UTF-8"},
		{"NUL", "Id eq '\x00'", "the expression is not text in UTF-8"},
		{"too long", "Id eq '" + strings.Repeat("x", maxODataLength) + "'", "the expression is longer than 8192 bytes"},
		{"too deep", strings.Repeat("(", maxODataDepth+1) + "IsLatestVersion" + strings.Repeat(")", maxODataDepth+1), "the expression is nested deeper than 32"},
		{"too many negations", strings.Repeat("not ", maxODataDepth+1) + "IsLatestVersion", "the expression is nested deeper than 32"},
		{"too many functions", strings.Repeat("tolower(Id) eq 'x' or ", maxODataCalls) + "tolower(Id) eq 'x'", "the expression has more than 128 functions"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parseODataFilter(testSchema, tt.filter)
			if got := registry.KindOf(err); err == nil || got != registry.Invalid {
				t.Fatalf("got %v (%v)", got, err)
			}
			if got := registry.Message(err); got != tt.text {
				t.Errorf("got  %q\nwant %q", got, tt.text)
			}
		})
	}
}

// A text that grows by each concat ends as null, not as memory.
func TestODataTextIsBounded(t *testing.T) {
	e, err := parseOData(testSchema, strings.Repeat("concat(Tags,", 30)+"Tags"+strings.Repeat(")", 30))
	if err != nil {
		t.Fatal(err)
	}
	large := testRow{"Tags": odataTextOf(strings.Repeat("x", maxODataText/20))}
	if v := e.eval(large); !v.isNull() {
		t.Errorf("got a text of %d bytes", len(v.text))
	}
	small := testRow{"Tags": odataTextOf("x")}
	if v := e.eval(small); v.text != strings.Repeat("x", 31) {
		t.Errorf("got %q", v.text)
	}
}

func TestODataOrder(t *testing.T) {
	var rows []testRow
	for _, entry := range []struct {
		id, version string
		downloads   float64
	}{{"b", "1.10.0", 1}, {"A", "1.9.0", 2}, {"b", "1.9.0", 2}, {"A", "1.10.0", 1}} {
		r := row(t, entry.id, entry.version)
		r["DownloadCount"] = odataNumberOf(entry.downloads)
		rows = append(rows, r)
	}
	tests := []struct {
		name, order string
		want        []string
	}{
		{"none", "", []string{"b 1.10.0", "A 1.9.0", "b 1.9.0", "A 1.10.0"}},
		{"id", "Id", []string{"A 1.9.0", "A 1.10.0", "b 1.10.0", "b 1.9.0"}},
		{"id, downwards", "Id desc", []string{"b 1.10.0", "b 1.9.0", "A 1.9.0", "A 1.10.0"}},
		{"PSResourceGet", "NormalizedVersion desc", []string{"b 1.10.0", "A 1.10.0", "A 1.9.0", "b 1.9.0"}},
		{"PowerShellGet", "DownloadCount desc,Id", []string{"A 1.9.0", "b 1.9.0", "A 1.10.0", "b 1.10.0"}},
		{"upwards by name", "DownloadCount asc , Version ASC", []string{"b 1.10.0", "A 1.10.0", "A 1.9.0", "b 1.9.0"}},
		{"Visual Studio 2010", "concat(Title,Id),Id,Version", []string{"A 1.9.0", "A 1.10.0", "b 1.9.0", "b 1.10.0"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			order, err := parseODataOrder(testSchema, tt.order)
			if err != nil {
				t.Fatal(err)
			}
			sorted := slices.Clone(rows)
			slices.SortStableFunc(sorted, func(a, b testRow) int { return order.compare(order.valuesOf(a), order.valuesOf(b)) })
			var got []string
			for _, r := range sorted {
				got = append(got, r["Id"].text+" "+r["Version"].text)
			}
			if diff := cmp.Diff(got, tt.want); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestODataOrderRefused(t *testing.T) {
	for _, order := range []string{"Name", "Id,", ",", "Id desc desc", "Id down", "Id Version", "(Id", strings.Repeat("Id,", maxODataSortKeys) + "Id"} {
		if _, err := parseODataOrder(testSchema, order); registry.KindOf(err) != registry.Invalid || err == nil {
			t.Errorf("%q: got %v", order, err)
		}
	}
}

func TestODataIDs(t *testing.T) {
	tests := []struct {
		name, filter string
		want         []string // nil when any package may match
	}{
		{"equality", "Id eq 'Acme.Log'", []string{"acme.log"}},
		{"the other way round", "'x' eq tolower(Id)", []string{"x"}},
		{"in a conjunction", "(toupper(Id) eq 'X') and IsLatestVersion", []string{"x"}},
		{"deep in a conjunction", "IsLatestVersion and (IsPrerelease and (Id eq 'x' and Tags ne null))", []string{"x"}},
		{"several", "(tolower(Id) eq 'b' or tolower(Id) eq 'a' or Id eq 'A') and IsLatestVersion", []string{"a", "b"}},
		{"the narrower one", "(Id eq 'a' or Id eq 'b') and Id eq 'c'", []string{"c"}},
		{"one of two is open", "Id eq 'a' or IsLatestVersion", nil},
		{"negated", "not (Id eq 'a')", nil},
		{"unequal", "Id ne 'a'", nil},
		{"another property", "Title eq 'a'", nil},
		{"null", "Id eq null", nil},
		{"another function", "trim(Id) eq 'a'", nil},
		{"no literal", "Id eq Title", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := parseODataFilter(testSchema, tt.filter)
			if err != nil {
				t.Fatal(err)
			}
			ids, bounded := odataIDs(e)
			if bounded != (tt.want != nil) {
				t.Fatalf("bounded = %v", bounded)
			}
			if diff := cmp.Diff(ids, tt.want); bounded && diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What is printed means the same when it is parsed again, and printing never
// needs more than the bounds allow.
func FuzzOData(f *testing.F) {
	for _, seed := range []string{
		"(tolower(Id) eq 'git') and IsLatestVersion", "not (IsPrerelease or Title eq null) eq true", "Version ge '1.0' or 'x' ne concat(Id,trim(Tags))",
		"((IsLatestVersion and IsPrerelease) and (IsPrerelease or null)) or not not IsLatestVersion", "DownloadCount gt -1.5e3d eq false",
		"Published lt datetime'2026-03-01T10:00:00' and indexof(Id,'''') ne length(Title)", "substringof('a',Id) and (startswith(Id,'x') eq endswith(Id,'y'))",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := parseOData(testSchema, text)
		if err != nil {
			if registry.KindOf(err) != registry.Invalid {
				t.Fatalf("not Invalid: %v", err)
			}
			return
		}
		printed := printOData(e)
		if len(printed) > maxODataLength { // blanks around operators make it longer
			return
		}
		again, err := parseOData(testSchema, printed)
		if err != nil {
			t.Fatalf("%q does not parse: %v", printed, err)
		}
		if got := printOData(again); got != printed {
			t.Fatalf("%q became %q", printed, got)
		}
		for _, r := range []testRow{row(t, "Acme.Log", "1.0"), row(t, "x", "2.0-rc.1+m"), {}} {
			if diff := cmp.Diff(e.eval(r), again.eval(r), cmp.AllowUnexported(odataValue{}, Version{})); diff != "" {
				t.Fatalf("%q and %q differ: %s", text, printed, diff)
			}
			checkODataIDs(t, e, r)
		}
	})
}

// checkODataIDs proves that a filter is false of what its ids leave out.
func checkODataIDs(t *testing.T, e odataExpr, r testRow) {
	t.Helper()
	ids, bounded := odataIDs(e)
	id, _ := r.propertyOf("Id")
	if bounded && e.eval(r).isTrue() && !slices.Contains(ids, foldID(id.text)) {
		t.Fatalf("%s is true of %q, which is not in %q", printOData(e), id.text, ids)
	}
}
