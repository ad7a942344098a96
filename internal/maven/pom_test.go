package maven

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadPOM(t *testing.T) {
	tests := []struct {
		name, in string
		want     POM
	}{
		{"nothing", "", POM{Packaging: "jar"}},
		{
			"whole",
			`<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://maven.apache.org/POM/4.0.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <!-- comment -->
  <modelVersion>4.0.0</modelVersion>
  <parent><groupId>org.acme</groupId><artifactId>parent</artifactId><version>1</version></parent>
  <artifactId>app</artifactId>
  <packaging>maven-archetype</packaging>
  <name>App &amp; more</name>
  <description>
    Does things.
  </description>
  <url>https://example.org/app</url>
  <licenses>
    <license><name>MIT</name><url>https://example.org/mit</url></license>
    <license><name>Apache-2.0</name></license>
    <license/>
  </licenses>
  <developers><developer><name>not this one</name><url>nor this</url></developer></developers>
  <scm><url>https://example.org/git</url></scm>
  <dependencies><dependency><groupId>x</groupId><artifactId>y</artifactId></dependency></dependencies>
</project>`,
			POM{
				Name: "App & more", Description: "Does things.", URL: "https://example.org/app", Packaging: "maven-archetype",
				Licenses: []License{{"MIT", "https://example.org/mit"}, {"Apache-2.0", ""}}, SCM: "https://example.org/git",
			},
		},
		{"everything from a parent", "<project><parent/></project>", POM{Packaging: "jar"}},
		{"empty packaging", "<project><packaging/></project>", POM{Packaging: "jar"}},
		{"cut off", "<project><name>App</name><description>x", POM{Name: "App", Packaging: "jar"}},
		{"not closed", "<project><name>App</name><br></project>", POM{Name: "App", Packaging: "jar"}},
		{"document type", `<!DOCTYPE project [<!ENTITY a "b">]><project><name>&a;</name></project>`, POM{Packaging: "jar"}},
		{"unknown entity", `<project><url>x</url><name>&oslash;</name></project>`, POM{URL: "x", Packaging: "jar"}},
		{"other root", "<html><name>x</name></html>", POM{Packaging: "jar"}},
		{"Latin-1", "<?xml version='1.0' encoding='ISO-8859-1'?><project><name>S\xf8ren</name></project>", POM{Name: "Søren", Packaging: "jar"}},
		{"Latin-1 that is declared as ASCII", "<?xml version='1.0' encoding='US-ASCII'?><project><url>x</url><name>S\xf8ren</name></project>", POM{URL: "x", Packaging: "jar"}},
		{"binary", "PK\x03\x04\x00\xff", POM{Packaging: "jar"}},
		{"long text", "<project><name>" + strings.Repeat("a", maxPOMText-1) + "ø</name></project>", POM{Name: strings.Repeat("a", maxPOMText-1), Packaging: "jar"}},
		{
			"many licences", "<project><licenses>" + strings.Repeat("<license><name>x</name></license>", maxLicenses+1) + "</licenses></project>",
			POM{Packaging: "jar", Licenses: func() (l []License) {
				for range maxLicenses {
					l = append(l, License{Name: "x"})
				}
				return l
			}()},
		},
		{"behind the bound", "<project>" + strings.Repeat(" ", maxPOM) + "<name>x</name></project>", POM{Packaging: "jar"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(ReadPOM([]byte(tt.in)), tt.want); diff != "" {
				t.Errorf("ReadPOM (-got +want):\n%s", diff)
			}
		})
	}
}

// FuzzReadPOM: a POM made of what was read gives the same again.
func FuzzReadPOM(f *testing.F) {
	f.Add("<project><name>a</name><licenses><license><name>b</name></license></licenses></project>")
	f.Add("<?xml version='1.0' encoding='ISO-8859-1'?><project><name>S\xf8ren</name></project>")
	f.Add("<project><name>a &lt; b</name><description>c")
	f.Fuzz(func(t *testing.T, s string) {
		p := ReadPOM([]byte(s))
		if len(p.Name) > maxPOMText || len(p.Licenses) > maxLicenses || p.Packaging == "" {
			t.Fatalf("beyond the bounds: %+v", p)
		}
		b := appendTag([]byte(xmlHeader), 0, "project")
		b = appendElement(b, 1, "name", p.Name)
		b = appendElement(b, 1, "description", p.Description)
		b = appendElement(b, 1, "url", p.URL)
		b = appendElement(b, 1, "packaging", p.Packaging)
		b = appendTag(b, 1, "licenses")
		for _, l := range p.Licenses {
			b = appendTag(b, 2, "license")
			b = appendElement(b, 3, "name", l.Name)
			b = appendElement(b, 3, "url", l.URL)
			b = appendTag(b, 2, "/license")
		}
		b = appendTag(b, 1, "/licenses")
		b = appendTag(b, 1, "scm")
		b = appendElement(b, 2, "url", p.SCM)
		b = appendTag(b, 1, "/scm")
		b = appendTag(b, 0, "/project")
		if diff := cmp.Diff(ReadPOM(b), p); diff != "" {
			t.Errorf("%q is read again as another (-got +want):\n%s", s, diff)
		}
	})
}
