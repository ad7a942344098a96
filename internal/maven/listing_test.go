package maven

import (
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// listingLink is how readers of listings find entries.
var listingLink = regexp.MustCompile(`<a href="([^"]*)">([^<]*)</a>`)

func TestAppendListing(t *testing.T) {
	entries := SortListing([]ListingEntry{
		{Name: "maven-metadata.xml", Size: 400, Modified: testTime},
		{Name: "1.10", Directory: true},
		{Name: "1.9", Directory: true, Modified: testTime},
		{Name: "a&b 'c'.jar", Size: 12345678, Modified: testTime},
		{Name: "maven-metadata.xml.sha1", Size: -1},
		{Name: "1.9", Directory: true},
	})
	want := `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Index of /org/&lt;app&gt;/</title>
</head>
<body>
<h1>Index of /org/&lt;app&gt;/</h1>
<pre>
<a href="../">../</a>
<a href="1.10/">1.10/</a>                                                        -                           -
<a href="1.9/">1.9/</a>                                                         2026-03-01 10:15            -
<a href="a&amp;b%20&#39;c&#39;.jar">a&amp;b &#39;c&#39;.jar</a>                                                  2026-03-01 10:15     12345678
<a href="maven-metadata.xml">maven-metadata.xml</a>                                           2026-03-01 10:15          400
<a href="maven-metadata.xml.sha1">maven-metadata.xml.sha1</a>                                      -                           -
</pre>
</body>
</html>
`
	if diff := cmp.Diff(string(AppendListing(nil, "Index of /org/<app>/", false, entries, false)), want); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
}

func TestAppendListingBounds(t *testing.T) {
	entries := make([]ListingEntry, maxListing+1)
	for i := range entries {
		entries[i] = ListingEntry{Name: fmt.Sprint(i), Directory: true}
	}
	tests := []struct {
		name      string
		count     int
		truncated bool
		root      bool
		links     int
		note      bool
	}{
		{"empty root", 0, false, true, 0, false},
		{"directory", 1, false, false, 2, false},
		{"full", maxListing, false, true, maxListing, false},
		{"full, and the caller knows of more", maxListing, true, true, maxListing, true},
		{"too many", maxListing + 1, false, true, maxListing, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			page := string(AppendListing(nil, "x", tt.root, entries[:tt.count], tt.truncated))
			if got := len(listingLink.FindAllString(page, -1)); got != tt.links {
				t.Errorf("%d links, want %d", got, tt.links)
			}
			if got := strings.Contains(page, "more entries"); got != tt.note {
				t.Errorf("says that there are more: %v, want %v", got, tt.note)
			}
		})
	}
}

// FuzzListing: whatever a name holds, the page has one link for it, which leads
// to it below the directory and shows it whole.
func FuzzListing(f *testing.F) {
	for _, s := range []string{"app-1.0.jar", "<script>alert(1)</script>", `"onclick="x`, "a b&c;d", "ü+~@", "..x", "100%", "javascript:x"} {
		f.Add(s, false)
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, name string, directory bool) {
		if decoded, err := decodeSegment(escapeSegment(name)); err != nil || decoded != name {
			return // no path can hold it
		}
		page := string(AppendListing(nil, name, true, []ListingEntry{{Name: name, Directory: directory, Modified: time.Unix(0, 0)}}, false))
		links := listingLink.FindAllStringSubmatch(page, -1)
		if len(links) != 1 || strings.Count(page, "<a ") != 1 || strings.Contains(page, "<script") {
			t.Fatalf("%q is listed as %q", name, page)
		}
		shown := name
		if directory {
			shown += "/"
		}
		if got := html.UnescapeString(links[0][2]); got != shown {
			t.Errorf("%q is shown as %q", shown, got)
		}
		base := &url.URL{Scheme: "https", Host: "registry.example", Path: "/a/"}
		at, err := base.Parse(html.UnescapeString(links[0][1]))
		if err != nil || at.Host != base.Host || at.Path != "/a/"+shown || at.RawQuery != "" || at.Fragment != "" {
			t.Errorf("%q leads to %v (%v)", name, at, err)
		}
	})
}
