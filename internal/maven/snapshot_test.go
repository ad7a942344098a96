package maven

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// snapshotFiles makes files from lines "name", "name hidden" or "name @seconds";
// without a time each is stored a second after the one before.
func snapshotFiles(t testing.TB, lines ...string) []SnapshotFile {
	t.Helper()
	var files []SnapshotFile
	for i, line := range lines {
		words := strings.Fields(line)
		seconds, visible := i, true
		for _, word := range words[1:] {
			if word == "hidden" {
				visible = false
			} else if _, err := fmt.Sscanf(word, "@%d", &seconds); err != nil {
				t.Fatal(err)
			}
		}
		f, ok := NewSnapshotFile(mustPath(t, "a/b/1-SNAPSHOT/"+words[0]), testTime.Add(time.Duration(seconds)*time.Second), visible)
		if !ok {
			t.Fatalf("%s has no coordinates", words[0])
		}
		files = append(files, f)
	}
	return files
}

const (
	day1 = "20260301.101500" // stamps
	day2 = "20260302.101500"
	day3 = "20260303.101500"
)

func TestReadSnapshot(t *testing.T) {
	tests := []struct {
		name          string
		files         []string
		highest       int64
		newest, shown Build
		want          []string // classifier:extension=value
	}{
		{"nothing", nil, 0, Build{}, Build{}, []string{}},
		{"nothing left", nil, 7, Build{}, Build{}, []string{}},
		{"one build", []string{"b-1-" + day1 + "-1.pom", "b-1-" + day1 + "-1.jar"}, 0, Build{day1, 1}, Build{day1, 1}, []string{":jar=1-" + day1 + "-1", ":pom=1-" + day1 + "-1"}},
		{
			"newest of three, in any order",
			[]string{"b-1-" + day3 + "-3.pom", "b-1-" + day1 + "-1.pom", "b-1-" + day2 + "-2.pom"},
			0,
			Build{day3, 3},
			Build{day3, 3},
			[]string{":pom=1-" + day3 + "-3"},
		},
		{
			"incomplete build is not seen",
			[]string{"b-1-" + day1 + "-1.pom", "b-1-" + day2 + "-2.pom hidden"},
			0,
			Build{day1, 1},
			Build{day1, 1},
			[]string{":pom=1-" + day1 + "-1"},
		},
		{"only an incomplete build", []string{"b-1-" + day1 + "-1.pom hidden"}, 0, Build{}, Build{}, []string{}},
		{
			"newest build has no POM",
			[]string{"b-1-" + day1 + "-1.pom", "b-1-" + day1 + "-1.jar", "b-1-" + day2 + "-2-docs.zip"},
			0,
			Build{day1, 1},
			Build{day1, 2},
			[]string{":jar=1-" + day1 + "-1", ":pom=1-" + day1 + "-1", "docs:zip=1-" + day2 + "-2"},
		},
		{
			"a build POM and a signature are no POM",
			[]string{"b-1-" + day1 + "-1.pom", "b-1-" + day2 + "-2-build.pom", "b-1-" + day2 + "-2.pom.asc"},
			0,
			Build{day1, 1},
			Build{day1, 2},
			[]string{":pom=1-" + day1 + "-1", ":pom.asc=1-" + day2 + "-2", "build:pom=1-" + day2 + "-2"},
		},
		{
			"no build has a POM, as from Ivy",
			[]string{"b-1-" + day1 + "-1.jar", "b-1-" + day2 + "-2.jar"},
			0,
			Build{day2, 2},
			Build{day2, 2},
			[]string{":jar=1-" + day2 + "-2"},
		},
		{
			"classifier that the newest build left out",
			[]string{"b-1-" + day1 + "-1.pom", "b-1-" + day1 + "-1-sources.jar", "b-1-" + day2 + "-2.pom", "b-1-" + day2 + "-2.jar"},
			0,
			Build{day2, 2},
			Build{day2, 2},
			[]string{":jar=1-" + day2 + "-2", ":pom=1-" + day2 + "-2", "sources:jar=1-" + day1 + "-1"},
		},
		{"time before number", []string{"b-1-" + day1 + "-9.pom", "b-1-" + day2 + "-3.pom"}, 0, Build{day2, 3}, Build{day2, 9}, []string{":pom=1-" + day2 + "-3"}},
		{"number at one time", []string{"b-1-" + day1 + "-10.pom", "b-1-" + day1 + "-9.pom"}, 0, Build{day1, 10}, Build{day1, 10}, []string{":pom=1-" + day1 + "-10"}},
		{"newest build was deleted", []string{"b-1-" + day1 + "-1.pom"}, 5, Build{day1, 1}, Build{day1, 5}, []string{":pom=1-" + day1 + "-1"}},
		{"lower mark than what is there", []string{"b-1-" + day1 + "-6.pom"}, 5, Build{day1, 6}, Build{day1, 6}, []string{":pom=1-" + day1 + "-6"}},
		{"literal files only", []string{"b-1-SNAPSHOT.jar", "b-1-SNAPSHOT.pom"}, 3, Build{}, Build{}, []string{":jar=1-SNAPSHOT", ":pom=1-SNAPSHOT"}},
		{"literal file that is hidden", []string{"b-1-SNAPSHOT.jar hidden"}, 0, Build{}, Build{}, []string{}},
		{
			"older literal file",
			[]string{"b-1-SNAPSHOT.jar", "b-1-" + day1 + "-1.jar"},
			0,
			Build{day1, 1},
			Build{day1, 1},
			[]string{":jar=1-" + day1 + "-1"},
		},
		{
			"newer literal file",
			[]string{"b-1-" + day1 + "-1.jar", "b-1-" + day1 + "-1.pom", "b-1-SNAPSHOT.jar", "b-1-SNAPSHOT-docs.jar"},
			0,
			Build{day1, 1},
			Build{day1, 1},
			[]string{":jar=1-SNAPSHOT", ":pom=1-" + day1 + "-1", "docs:jar=1-SNAPSHOT"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := ReadSnapshot(snapshotFiles(t, tt.files...), tt.highest)
			if s.Newest != tt.newest || s.Shown != tt.shown {
				t.Errorf("newest %v, shown %v; want %v, %v", s.Newest, s.Shown, tt.newest, tt.shown)
			}
			got := []string{}
			for _, f := range s.Files() {
				got = append(got, f.Classifier+":"+f.Extension+"="+f.Value)
			}
			if diff := cmp.Diff(got, tt.want); diff != "" {
				t.Errorf("files (-got +want):\n%s", diff)
			}
		})
	}
}

func TestSnapshotUpdated(t *testing.T) {
	s := ReadSnapshot(snapshotFiles(t, "b-1-"+day1+"-1.jar", "b-1-SNAPSHOT.pom @60"), 0)
	want := []SnapshotVersion{{"", "jar", "1-" + day1 + "-1", "20260301101500"}, {"", "pom", "1-SNAPSHOT", "20260301101602"}}
	if diff := cmp.Diff(s.Files(), want); diff != "" {
		t.Errorf("files (-got +want):\n%s", diff)
	}
}

func TestSnapshotTarget(t *testing.T) {
	builds := []string{
		"b-1-" + day1 + "-1.pom", "b-1-" + day1 + "-1.jar", "b-1-" + day1 + "-1-sources.jar", "b-1-" + day1 + "-1.jar.asc",
		"b-1-" + day2 + "-2.pom", "b-1-" + day2 + "-2.jar",
		"b-1-" + day3 + "-3.jar", // no POM: not the newest to readers
	}
	tests := []struct {
		name    string
		files   []string
		highest int64
		asked   string
		want    string // empty: none
	}{
		{"POM", builds, 0, "b-1-SNAPSHOT.pom", "b-1-" + day2 + "-2.pom"},
		{"jar of the same build", builds, 0, "b-1-SNAPSHOT.jar", "b-1-" + day2 + "-2.jar"},
		{"classifier of an older build", builds, 0, "b-1-SNAPSHOT-sources.jar", "b-1-" + day1 + "-1-sources.jar"},
		{"signature of an older jar", builds, 0, "b-1-SNAPSHOT.jar.asc", ""},
		{"signature", builds[:4], 0, "b-1-SNAPSHOT.jar.asc", "b-1-" + day1 + "-1.jar.asc"},
		{"checksum of a signature", builds[:4], 0, "b-1-SNAPSHOT.jar.asc.sha1", "b-1-" + day1 + "-1.jar.asc"},
		{"signature where the signed file is", append(builds, "b-1-"+day1+"-1-sources.jar.asc"), 0, "b-1-SNAPSHOT-sources.jar.asc", "b-1-" + day1 + "-1-sources.jar.asc"},
		{"jar older than the POM", []string{builds[0], builds[1], builds[4]}, 0, "b-1-SNAPSHOT.jar", ""},
		{"other extension", builds, 0, "b-1-SNAPSHOT.war", ""},
		{"other classifier", builds, 0, "b-1-SNAPSHOT-docs.jar", ""},
		{"no builds", []string{"b-1-SNAPSHOT.pom"}, 0, "b-1-SNAPSHOT.jar", ""},
		{"build in progress", []string{"b-1-" + day1 + "-1.jar hidden"}, 0, "b-1-SNAPSHOT.jar", ""},
		{"newest timestamp with the highest number", builds, 9, "b-1-" + day2 + "-9.jar", "b-1-" + day2 + "-2.jar"},
		{"the same for what the newest has not", builds, 9, "b-1-" + day2 + "-9-sources.jar", ""},
		{"no other number", builds, 9, "b-1-" + day2 + "-8.jar", ""},
		{"no other timestamp", builds, 9, "b-1-" + day1 + "-9.jar", ""},
		{"what the newest build has not", builds, 0, "b-1-" + day2 + "-2.war", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			asked, ok := NewSnapshotFile(mustPath(t, "a/b/1-SNAPSHOT/"+tt.asked), time.Time{}, false)
			if !ok {
				t.Fatalf("%s has no coordinates", tt.asked)
			}
			got, ok := ReadSnapshot(snapshotFiles(t, tt.files...), tt.highest).Target(asked)
			if name := got.Name(); ok != (tt.want != "") || ok && name != tt.want {
				t.Errorf("target of %s is %q, want %q", tt.asked, name, tt.want)
			}
		})
	}
}

func TestSnapshotTargetOfSbtPlugin(t *testing.T) {
	file := func(name string, visible bool) SnapshotFile {
		f, ok := NewSnapshotFile(mustPath(t, "a/x_2.12_1.0/1-SNAPSHOT/"+name), testTime, visible)
		if !ok {
			t.Fatalf("%s has no coordinates", name)
		}
		return f
	}
	s := ReadSnapshot([]SnapshotFile{file("x-1-"+day1+"-1.pom", true), file("x_2.12_1.0-1-"+day1+"-1.pom", true)}, 0)
	for asked, want := range map[string]string{
		"x-1-SNAPSHOT.pom":          "x-1-" + day1 + "-1.pom",
		"x_2.12_1.0-1-SNAPSHOT.pom": "x_2.12_1.0-1-" + day1 + "-1.pom",
	} {
		if got, _ := s.Target(file(asked, false)); got.Name() != want {
			t.Errorf("target of %s is %q, want %q", asked, got.Name(), want)
		}
	}
	if got := len(s.Files()); got != 1 {
		t.Errorf("%d entries for one classifier and extension", got)
	}
}

func TestExpiredBuilds(t *testing.T) {
	builds := []string{
		"b-1-" + day1 + "-1.pom @0", "b-1-" + day1 + "-1.jar @100", "b-1-" + day2 + "-2.pom @50", "b-1-" + day3 + "-3.pom @60", "b-1-SNAPSHOT.jar @0",
	}
	tests := []struct {
		name   string
		files  []string
		keep   int
		before int // seconds
		want   []Build
	}{
		{"enough kept", builds, 3, 1000, nil},
		{"newest two kept", builds, 2, 1000, []Build{{day1, 1}}},
		{"newest kept", builds, 1, 1000, []Build{{day2, 2}, {day1, 1}}},
		{"last file too young", builds, 1, 100, []Build{{day2, 2}}},
		{"all too young", builds, 1, 50, nil},
		{"what metadata names stays", builds, 0, 1000, []Build{{day2, 2}, {day1, 1}}},
		{"also behind builds without a POM", []string{"b-1-" + day1 + "-1.pom", "b-1-" + day2 + "-2.jar", "b-1-" + day3 + "-3.jar"}, 1, 1000, []Build{{day2, 2}}},
		{"nothing", nil, 0, 1000, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ExpiredBuilds(snapshotFiles(t, tt.files...), tt.keep, testTime.Add(time.Duration(tt.before)*time.Second))
			if diff := cmp.Diff(got, tt.want); diff != "" {
				t.Errorf("expired (-got +want):\n%s", diff)
			}
		})
	}
}

// FuzzSnapshot tries random sets of files: the order in which they come does not
// matter, metadata names only files that are there, numbers never fall, and the
// literal names lead to the newest build.
func FuzzSnapshot(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed, uint8(seed), uint8(seed%5))
	}
	f.Fuzz(func(t *testing.T, seed uint64, count, highest uint8) {
		random := rand.New(rand.NewPCG(seed, 1))
		var files []SnapshotFile
		for range count % 40 {
			c := Coordinates{GroupID: "a", ArtifactID: "b", Prefix: "b", Version: "1-SNAPSHOT"}
			c.Classifier = []string{"", "sources"}[random.IntN(2)]
			c.Extension = []string{"pom", "jar"}[random.IntN(2)]
			if random.IntN(4) > 0 {
				c.Build = Build{fmt.Sprintf("2026030%d.101500", 1+random.IntN(4)), int64(1 + random.IntN(4))}
			}
			file := SnapshotFile{Coordinates: c, Stored: testTime.Add(time.Duration(random.IntN(5)) * time.Minute), Visible: random.IntN(3) > 0}
			if !slices.ContainsFunc(files, func(o SnapshotFile) bool { return o.Name() == file.Name() }) {
				files = append(files, file)
			}
		}
		s := ReadSnapshot(files, int64(highest))
		entries := s.Files()
		random.Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
		again := ReadSnapshot(files, int64(highest))
		if again.Newest != s.Newest || again.Shown != s.Shown || cmp.Diff(again.Files(), entries) != "" {
			t.Fatalf("depends on the order: %+v, %+v", s, again)
		}
		for _, e := range entries {
			if !slices.ContainsFunc(files, func(o SnapshotFile) bool {
				return o.Visible && o.Resolved() == e.Value && o.Classifier == e.Classifier && o.Extension == e.Extension
			}) {
				t.Errorf("%+v names no visible file", e)
			}
		}
		for _, file := range files {
			if !file.Visible || file.Build.IsZero() {
				continue
			}
			if s.Shown.Number < file.Build.Number || s.Shown.Number < int64(highest) || s.Shown.Timestamp != s.Newest.Timestamp {
				t.Errorf("shown is %v, newest %v, with %s and %d", s.Shown, s.Newest, file.Name(), highest)
			}
			literal := file
			literal.Build = Build{}
			target, ok := s.Target(literal)
			if ok && (target.key() != file.key() || !target.Visible || target.Build != s.Newest && file.Classifier == "") {
				t.Errorf("%s leads to %s", literal.Name(), target.Name())
			}
			if !ok && (file.Classifier != "" || file.Build == s.Newest) || file.Build == s.Newest && target.Build != s.Newest {
				t.Errorf("%s does not lead to %s", literal.Name(), file.Name())
			}
		}
	})
}
