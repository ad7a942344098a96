package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// releaseProgram gives the pages of the program back that the start touched:
// two thirds of an idle server's memory, most of it tables and initialisers of
// libraries that never run again. What is needed comes back from the page cache,
// a neighbourhood at a time. It takes nothing but whole mappings of the program
// that cannot be written and of which no page was ever changed.
//
// Without /proc, or when the kernel refuses, all stays as it is.
func releaseProgram() error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	file, err := os.Open("/proc/self/smaps")
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // only read from
	var clean []mapping
	var current mapping
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if m, ok := parseMapping(lines.Text()); ok {
			current = m
		} else if unchanged(lines.Text()) && current.path == program && !strings.Contains(current.access, "w") {
			clean = append(clean, current)
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	for _, m := range clean { // after the last line: reading goes on in these pages
		if _, _, errno := syscall.Syscall(syscall.SYS_MADVISE, m.start, m.end-m.start, syscall.MADV_DONTNEED); errno != 0 {
			return fmt.Errorf("madvise: %w", errno)
		}
	}
	return nil
}

// mapping is a part of the address space.
type mapping struct {
	start, end   uintptr
	access, path string
}

// parseMapping reads the line with which a mapping begins in smaps.
func parseMapping(line string) (mapping, bool) {
	var m mapping
	var offset, inode uint64
	var device string
	n, _ := fmt.Sscanf(line, "%x-%x %s %x %s %d %s", &m.start, &m.end, &m.access, &offset, &device, &inode, &m.path)
	return m, n >= 6
}

// unchanged recognises the line which says that a mapping has no page of its own.
func unchanged(line string) bool {
	rest, ok := strings.CutPrefix(line, "Anonymous:")
	return ok && strings.TrimSpace(rest) == "0 kB"
}
