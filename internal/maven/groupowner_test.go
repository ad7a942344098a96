package maven_test

import (
	"net/http"
	"strings"
	"testing"

	"pakhus/internal/registry"
)

// TestGroupOwner: what a group names as its own, strangers cannot publish, unless
// a part of it is named for them (threats N12).
func TestGroupOwner(t *testing.T) {
	const foreign = "/api/v4/projects/3/packages/maven"
	const jar = "org/acme/x/app/1.0/app-1.0.jar"
	type setting struct {
		at    registry.Span
		value string
	}
	acme := setting{registry.Span{GroupID: 1}, "org.acme,com.acme"}
	stranger := func(value string) setting { return setting{registry.Span{ProjectID: 3}, value} }
	tests := []struct {
		name             string
		settings         []setting
		path             string
		owner, strangers int
	}{
		{"by default", nil, jar, 201, 201},
		{"owned", []setting{acme}, jar, 201, 403},
		{"owned, the prefix itself", []setting{acme}, "org/acme/app/1.0/app-1.0.jar", 201, 403},
		{"owned, the second prefix", []setting{acme}, "com/acme/app/1.0/app-1.0.jar", 201, 403},
		{"owned, by Ivy's path", []setting{acme}, "org.acme/app/1.0/jars/app.jar", 201, 403},
		{"owned, a snapshot", []setting{acme}, "org/acme/app/1.0-SNAPSHOT/app-1.0-20260301.101500-7.jar", 201, 403},
		{"a segment is whole", []setting{acme}, "org/acmeevil/app/1.0/app-1.0.jar", 403, 201},
		{"above the prefix", []setting{acme}, "org/app/1.0/app-1.0.jar", 403, 201},
		{"an artifact that is called so", []setting{acme}, "org/acme/1.0/acme-1.0.jar", 403, 201},
		{"another group", []setting{acme}, "net/x/app/1.0/app-1.0.jar", 403, 201},
		{"case counts", []setting{acme}, "org/Acme/app/1.0/app-1.0.jar", 403, 201},
		{"delegated", []setting{acme, stranger("org.acme.x,org.other")}, jar, 201, 201},
		{"delegated, another part", []setting{acme, stranger("org.acme.y")}, jar, 201, 403},
		{"delegated, and then nothing else", []setting{acme, stranger("org.acme.x")}, "net/x/app/1.0/app-1.0.jar", 403, 403},
		{"the project's own value counts", []setting{acme, {spanOfDemo, "org.demo"}}, jar, 403, 403},
		{"an empty value opens nothing of others", []setting{acme, stranger("")}, jar, 201, 403},
		{"a value that is none", []setting{{spanOfDemo, ","}}, jar, 403, 201},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			for _, s := range tt.settings {
				w.set(s.at, "maven_group_prefixes", s.value)
			}
			for _, side := range []struct {
				address, token string
				status         int
			}{{demo, w.write, tt.owner}, {foreign, w.foreign, tt.strangers}} {
				early := map[int]int{201: 202, 403: 403}[side.status]
				wantStatus(t, w.call(http.MethodPut, side.address+"/"+tt.path+".sha1", side.token, sums("x")["sha1"]), early)
				a := wantStatus(t, w.call(http.MethodPut, side.address+"/"+tt.path, side.token, "x"), side.status)
				if side.status == 403 && !strings.Contains(a.Body.String(), "maven_group_prefixes") {
					t.Errorf("the answer does not name the setting: %s", a.Body)
				}
				if got := len(a.Body.String()); got > 201 {
					t.Errorf("the answer has %d bytes", got)
				}
			}
		})
	}
}

// TestGroupOwnerOfMetadata: metadata of an artifact and of a group share an
// address: whoever may publish either of the two may send it.
func TestGroupOwnerOfMetadata(t *testing.T) { onEach(t, testGroupOwnerOfMetadata) }

func testGroupOwnerOfMetadata(t *testing.T, w *world) {
	const foreign = "/api/v4/projects/3/packages/maven"
	artifact := artifactMetadata("org.acme", "app", "1.0")
	const group = "<metadata><plugins><plugin><name>x</name><prefix>x</prefix><artifactId>x-maven-plugin</artifactId></plugin></plugins></metadata>"
	const snapshot = "<metadata><groupId>org.acme</groupId><artifactId>app</artifactId><version>1.0-SNAPSHOT</version></metadata>"
	w.set(registry.Span{GroupID: 1}, "maven_group_prefixes", "org.acme,top")
	for _, tt := range []struct {
		path, body       string
		owner, strangers int
	}{
		{"org/acme/app/maven-metadata.xml", artifact, 200, 403},
		{"org/acme/app/maven-metadata.xml.sha1", sums(artifact)["sha1"], 200, 403},
		{"org/acme/app/1.0-SNAPSHOT/maven-metadata.xml", snapshot, 200, 403},
		{"org/acme/maven-metadata.xml", group, 200, 200}, // of org:acme for a stranger
		{"top/maven-metadata.xml", group, 200, 403},
		{"org/other/maven-metadata.xml", group, 403, 200},
		{"archetype-catalog.xml", "<archetype-catalog/>", 200, 200},
	} {
		if a := w.call(http.MethodPut, demo+"/"+tt.path, w.write, tt.body); a.Code != tt.owner {
			t.Errorf("%s by its owner: %d, want %d", tt.path, a.Code, tt.owner)
		}
		if a := w.call(http.MethodPut, foreign+"/"+tt.path, w.foreign, tt.body); a.Code != tt.strangers {
			t.Errorf("%s by a stranger: %d, want %d", tt.path, a.Code, tt.strangers)
		}
	}
}
