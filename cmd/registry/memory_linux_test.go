package main

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// filePages is how much of files the process has in memory, in KiB.
func filePages(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "RssFile:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		t.Skip("the kernel does not tell")
	}
	n, err := strconv.Atoi(fields[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestReleaseProgram(t *testing.T) {
	before := filePages(t)
	if err := releaseProgram(); err != nil {
		t.Fatal(err)
	}
	if after := filePages(t); after > before*3/4 {
		t.Errorf("%d KiB of files in memory before, %d after", before, after)
	}
}

func TestParseMapping(t *testing.T) {
	tests := []struct {
		name, line string
		want       mapping
		ok         bool
	}{
		{"program", "00400000-01b8b000 r-xp 00000000 fe:00 131 /usr/bin/registry", mapping{0x400000, 0x1b8b000, "r-xp", "/usr/bin/registry"}, true},
		{"nobody's", "7f55cd690000-7f55cdb00000 rw-p 00000000 00:00 0 ", mapping{0x7f55cd690000, 0x7f55cdb00000, "rw-p", ""}, true},
		{"a value", "Anonymous:             0 kB", mapping{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := parseMapping(tt.line)
			if ok != tt.ok || ok && got != tt.want {
				t.Errorf("got %+v %v, want %+v %v", got, ok, tt.want, tt.ok)
			}
		})
	}
	if unchanged("Anonymous:           296 kB") || !unchanged("Anonymous:             0 kB") || unchanged("AnonHugePages:         0 kB") {
		t.Error("pages of a mapping's own are not told from others")
	}
}
