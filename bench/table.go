package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// row is a line of the table. A ratio of 0 is none.
type row struct {
	work, ours, nginx, target string
	ratio                     float64
	met                       string
}

type table struct{ rows []row }

func (t *table) add(r row) {
	t.rows = append(t.rows, r)
	progress("  %s: %s %s %.2f", r.work, r.ours, r.nginx, r.ratio)
}

// write prints the table as Markdown.
func (t *table) write(w io.Writer) error {
	var b bytes.Buffer
	b.WriteString("| work | registry | nginx | ratio | target | met |\n|---|---:|---:|---:|---:|---|\n")
	for _, r := range t.rows {
		ratio := ""
		if r.ratio != 0 {
			ratio = fmt.Sprintf("%.2f", r.ratio)
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join([]string{r.work, r.ours, r.nginx, ratio, r.target, r.met}, " | "))
	}
	_, err := w.Write(b.Bytes())
	return err
}

func verdict(met bool) string {
	if met {
		return "yes"
	}
	return "**no**"
}

// median is the middle value, the lower one of two.
func median[T cmp.Ordered](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[(len(sorted)-1)/2]
}

func round(d time.Duration) time.Duration {
	if d < 10*time.Millisecond {
		return d.Round(10 * time.Microsecond)
	}
	return d.Round(time.Millisecond)
}

func megabytes(bytes int64) string { return fmt.Sprintf("%.0f MB", float64(bytes)/(1<<20)) }

func kilobytes(bytes int) string {
	if bytes >= 1<<20 {
		return fmt.Sprintf("%.1f MB sent", float64(bytes)/1e6)
	}
	return fmt.Sprintf("%.1f KB sent", float64(bytes)/1e3)
}

// describe tells what the numbers were measured on.
func describe(ctx context.Context, w io.Writer, b *bench, took time.Duration) {
	fmt.Fprintf(w, "%s, %d cores, %s of memory, Linux %s, %s; commit of 4 KB to the temporary folder: %s.\n",
		cpuField("model name"), runtime.NumCPU(), memoryTotal(), firstLine(os.ReadFile("/proc/sys/kernel/osrelease")), runtime.Version(), syncTime(b.dir))
	versions := []string{output(ctx, b.tools.nginx, "-v"), output(ctx, b.tools.wrk, "-v")}
	if b.tools.postgres != "" {
		versions = append(versions, output(ctx, filepath.Join(b.tools.postgres, "postgres"), "--version"))
	}
	fmt.Fprintf(w, "%s. Measured in %s.\n\n", strings.Join(versions, "; "), took.Round(time.Second))
}

func cpuField(name string) string {
	file, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if key, value, _ := strings.Cut(lines.Text(), ":"); strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}

func memoryTotal() string {
	var kib int64
	text, err := os.ReadFile("/proc/meminfo")
	if err == nil {
		_, err = fmt.Sscanf(string(text), "MemTotal: %d kB", &kib)
	}
	if err != nil {
		return "an unknown amount"
	}
	return fmt.Sprintf("%d GB", kib>>20)
}

// output is the first line that a program prints about itself. wrk ends with
// status 1 after its version.
func output(ctx context.Context, program string, args ...string) string {
	out, _ := exec.CommandContext(ctx, program, args...).CombinedOutput()
	line := firstLine(out, nil)
	line, _, _ = strings.Cut(line, " [")
	return line
}

func firstLine(text []byte, err error) string {
	if err != nil {
		return "unknown"
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return line
}

// syncTime is the median time of an append that reaches the disk: publishes
// cannot be faster.
func syncTime(dir string) time.Duration {
	file, err := os.Create(filepath.Join(dir, "sync"))
	if err != nil {
		return 0
	}
	defer file.Close()
	var took []time.Duration
	block := make([]byte, 4096)
	for range 50 {
		d, err := timed(func() error {
			if _, err := file.Write(block); err != nil {
				return err
			}
			return file.Sync()
		})
		if err != nil {
			return 0
		}
		took = append(took, d)
	}
	return round(median(took))
}
