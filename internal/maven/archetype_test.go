package maven

import (
	"encoding/xml"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAppendArchetypeCatalog(t *testing.T) {
	if got := AppendArchetypeCatalog(nil, nil); got != nil {
		t.Errorf("a catalogue of nothing is %q", got)
	}
	got := AppendArchetypeCatalog(nil, []Archetype{{"org.acme", "app-archetype", "1.0", "Makes <apps>"}, {"org.acme", "lib-archetype", "2.0", ""}})
	want := `<?xml version="1.0" encoding="UTF-8"?>
<archetype-catalog>
  <archetypes>
    <archetype>
      <groupId>org.acme</groupId>
      <artifactId>app-archetype</artifactId>
      <version>1.0</version>
      <description>Makes &lt;apps&gt;</description>
    </archetype>
    <archetype>
      <groupId>org.acme</groupId>
      <artifactId>lib-archetype</artifactId>
      <version>2.0</version>
    </archetype>
  </archetypes>
</archetype-catalog>
`
	if diff := cmp.Diff(string(got), want); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
	var read struct {
		Versions []string `xml:"archetypes>archetype>version"`
	}
	if err := xml.Unmarshal(got, &read); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(read.Versions, []string{"1.0", "2.0"}); diff != "" {
		t.Errorf("versions (-got +want):\n%s", diff)
	}
}
