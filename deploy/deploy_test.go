// Package deploy has nothing but this test: it keeps the dashboard and the alert
// rules from naming metrics that the server does not have.
package deploy

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"pakhus/internal/observe"
)

// fromPrometheus are the metrics and labels that Prometheus adds to a scrape.
var fromPrometheus = []string{"up", "job", "instance"}

func TestNamesExist(t *testing.T) {
	known := scrape(t)
	for _, name := range fromPrometheus {
		known[name] = true
	}
	for file, queries := range map[string][]string{
		"grafana/pakhus.json":    dashboardQueries(t),
		"prometheus/alerts.yaml": alertQueries(t),
	} {
		if len(queries) < 8 {
			t.Errorf("%s: only %d queries were found", file, len(queries))
		}
		for _, query := range queries {
			found := names(query)
			if len(found) == 0 {
				t.Errorf("%s: no metric in %s", file, query)
			}
			for _, name := range found {
				if !known[name] {
					t.Errorf("%s: the server has no metric or label %s: %s", file, name, query)
				}
			}
		}
	}
}

func TestNames(t *testing.T) {
	query := `sum by (le, route) (rate(a_total{job=~"$job",status!~"5..,x"}[$__rate_interval])) / b > 1e3 or label_values(c, d) unless vector(0) offset 5m`
	got := strings.Join(names(query), " ")
	if want := "le route a_total job status b c d"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

var (
	quoted = regexp.MustCompile(`"(\\.|[^"\\])*"`)
	word   = regexp.MustCompile(`[$\w:.]+`)
)

// words of PromQL that are neither metrics nor labels nor called like functions.
var keywords = map[string]bool{
	"by": true, "without": true, "on": true, "ignoring": true, "group_left": true, "group_right": true,
	"and": true, "or": true, "unless": true, "bool": true, "offset": true,
	"sum": true, "min": true, "max": true, "avg": true, "count": true, // before their labels
}

// names gives the metrics and labels in a query.
func names(query string) []string {
	query = quoted.ReplaceAllString(query, `""`)
	var found []string
	for _, at := range word.FindAllStringIndex(query, -1) {
		name := query[at[0]:at[1]]
		called := strings.HasPrefix(strings.TrimLeft(query[at[1]:], " \n"), "(")
		if keywords[name] || strings.ContainsAny(name[:1], "$0123456789.") || called {
			continue
		}
		found = append(found, name)
	}
	return found
}

// scrape gives the names of all metrics and labels of a server.
func scrape(t *testing.T) map[string]bool {
	t.Helper()
	m := observe.NewMetrics()
	use(m)
	for _, gauge := range watched(t) {
		m.Watch(gauge[0], gauge[1], "Watched.", func() float64 { return 0 })
	}
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	body, err := io.ReadAll(w.Body)
	if err != nil || w.Code != 200 {
		t.Fatalf("scrape: %d %v", w.Code, err)
	}
	known := map[string]bool{}
	for line := range strings.Lines(string(body)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		series, _, _ := strings.Cut(quoted.ReplaceAllString(line, ""), " ")
		for _, name := range word.FindAllString(series, -1) {
			known[name] = true
		}
	}
	return known
}

// use touches every metric with labels: one that was never used is in no scrape.
func use(m *observe.Metrics) {
	m.RequestStarted()
	m.RequestDone(observe.Request{Route: "/", Method: "GET", Status: 200}, time.Millisecond, 1, 1)
	m.Panicked()
	m.Published("npm")
	m.Downloaded("npm")
	m.LookedUp("document", true)
	m.Refused("unknown")
	m.UsedDatabase("check", time.Millisecond)
	m.UsedBucket("check", time.Millisecond)
}

// watched finds the gauges that the program registers when it is put together,
// which only its source tells.
func watched(t *testing.T) [][2]string {
	t.Helper()
	var gauges [][2]string
	err := filepath.WalkDir("../cmd", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && isWatch(call) {
				gauge := [2]string{literal(call.Args[0]), literal(call.Args[1])}
				gauges = append(gauges, gauge)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return gauges
}

func isWatch(call *ast.CallExpr) bool {
	method, ok := call.Fun.(*ast.SelectorExpr)
	return ok && method.Sel.Name == "Watch" && len(call.Args) == 4 && literal(call.Args[0]) != ""
}

// literal is the text of a string literal, or nothing.
func literal(e ast.Expr) string {
	lit, ok := e.(*ast.BasicLit)
	if !ok {
		return ""
	}
	text, err := strconv.Unquote(lit.Value)
	if err != nil {
		return ""
	}
	return text
}

// dashboardQueries gives the queries of all panels and variables.
func dashboardQueries(t *testing.T) []string {
	t.Helper()
	var dashboard struct {
		Panels []struct {
			ID      int
			Targets []struct{ Expr string }
		}
		Templating struct{ List []struct{ Definition string } }
	}
	text, err := os.ReadFile("grafana/pakhus.json")
	if err := errors.Join(err, json.Unmarshal(text, &dashboard)); err != nil {
		t.Fatal(err)
	}
	var queries []string
	ids := map[int]bool{}
	for _, p := range dashboard.Panels {
		if ids[p.ID] {
			t.Errorf("two panels have the id %d", p.ID)
		}
		ids[p.ID] = true
		for _, target := range p.Targets {
			queries = append(queries, target.Expr)
		}
	}
	for _, v := range dashboard.Templating.List {
		if v.Definition != "" {
			queries = append(queries, v.Definition)
		}
	}
	return queries
}

// alertQueries gives the queries of all rules.
func alertQueries(t *testing.T) []string {
	t.Helper()
	var rules struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	file, err := os.Open("prometheus/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	decoder := yaml.NewDecoder(file)
	decoder.KnownFields(true)
	if err := decoder.Decode(&rules); err != nil {
		t.Fatal(err)
	}
	var queries []string
	for _, group := range rules.Groups {
		for _, rule := range group.Rules {
			if rule.Alert == "" || rule.Labels["severity"] == "" || rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" {
				t.Errorf("rule %q lacks a name, severity, summary or description", rule.Alert)
			}
			queries = append(queries, rule.Expr)
		}
	}
	return queries
}
