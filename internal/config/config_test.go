package config

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const sampleKey = "8d969eef6ecad3c29a3a629280e686cf0c3f5d5a86aff3ca12020c923adc6c92"

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDefaults(t *testing.T) {
	c, err := Load(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	data, err := filepath.Abs("data")
	if err != nil {
		t.Fatal(err)
	}
	want := []Setting{
		{"listen", "127.0.0.1:8080", "default"},
		{"metrics_listen", "", "default"},
		{"external_url", "http://127.0.0.1:8080", "default"},
		{"data_dir", data, "default"},
		{"database_url", "sqlite://" + data + "/registry.db", "default"},
		{"bucket_url", "file://" + data + "/blobs", "default"},
		{"secret_key", "in " + data + "/secret.key", "default"},
		{"tls_cert", "", "default"},
		{"tls_key", "", "default"},
		{"max_upload_npm", "524288000", "default"},
		{"max_upload_nuget", "524288000", "default"},
		{"max_upload_maven", "3221225472", "default"},
		{"cache_size", "268435456", "default"},
		{"redirect_min", "0", "default"},
		{"tarball_urls", "canonical", "default"},
		{"npm_hosts", "", "default"},
		{"npm_manifest_check", "refuse", "default"},
		{"trusted_proxies", "", "default"},
		{"log_format", "", "default"},
		{"log_level", "info", "default"},
	}
	if diff := cmp.Diff(c.Settings(), want); diff != "" {
		t.Error(diff)
	}
	if !c.ExternalURLDerived || len(c.Warnings()) != 0 {
		t.Errorf("derived %v, warnings %v", c.ExternalURLDerived, c.Warnings())
	}
}

// Flags count before variables, variables before the file.
func TestSources(t *testing.T) {
	file := write(t, "listen: 127.0.0.1:1\ndata_dir: /file\nlog_level: debug\ntrusted_proxies: [10.0.0.0/8, 192.0.2.1]\nmax_upload_npm: 1000\n")
	c, err := Load(Flags{"config": file, "listen": "127.0.0.1:3"}, []string{
		"REGISTRY_LISTEN=127.0.0.1:2", "REGISTRY_DATA_DIR=/variable", "REGISTRY_CACHE_SIZE=1 GiB", "REGISTRY_EXTERNAL_URL=https://example.test/tools/",
		"REGISTRY_SECRET_KEY_FILE=" + write(t, sampleKey+"\n"), "REGISTRY_LOG_FORMAT=", "PATH=/bin",
		// What Kubernetes makes for a Service called registry.
		"REGISTRY_PORT=tcp://10.0.0.1:80", "REGISTRY_PORT_80_TCP_ADDR=10.0.0.1", "REGISTRY_SERVICE_HOST=10.0.0.1",
	})
	if err != nil {
		t.Fatal(err)
	}
	got := []any{c.Listen, c.DataDir, c.LogLevel, c.MaxUploadNPM, c.CacheSize, c.ExternalURL.String(), c.HasSecretKey, c.LogFormat, c.ExternalURLDerived}
	want := []any{"127.0.0.1:3", "/variable", "debug", int64(1000), int64(1 << 30), "https://example.test/tools", true, "", false}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Error(diff)
	}
	networks := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.1/32")}
	if fmt.Sprint(c.TrustedProxies) != fmt.Sprint(networks) {
		t.Errorf("got %v", c.TrustedProxies)
	}
	if c.shown[0].Source != "flag" || c.shown[3].Source != "variable REGISTRY_DATA_DIR" || c.shown[19].Source != file {
		t.Errorf("sources: %v", c.shown)
	}
}

func TestFileNamedByVariable(t *testing.T) {
	c, err := Load(nil, []string{"REGISTRY_CONFIG=" + write(t, "listen: 127.0.0.1:1\n")})
	if err != nil || c.Listen != "127.0.0.1:1" {
		t.Errorf("got %v, %v", c, err)
	}
}

// One start shows everything that is wrong.
func TestAllProblemsAtOnce(t *testing.T) {
	file := write(t, "colour: red\ncache_size: {a: 1}\n")
	_, err := Load(Flags{"config": file, "listen": "localhost"}, []string{
		"REGISTRY_LISTN=x", "REGISTRY_SECRET_KEY=changeme", "REGISTRY_MAX_UPLOAD_NPM=lots", "REGISTRY_TLS_CERT=/c",
		"REGISTRY_LOG_LEVEL=loud", "REGISTRY_LOG_LEVEL_FILE=" + write(t, "info"), "REGISTRY_DATABASE_URL_FILE=/nowhere/at/all",
	})
	want := Problems{
		"REGISTRY_DATABASE_URL_FILE: open /nowhere/at/all: no such file or directory",
		"REGISTRY_LISTN: there is no such setting",
		"log_level: is set twice, by variable REGISTRY_LOG_LEVEL and by variable REGISTRY_LOG_LEVEL_FILE",
		"cache_size: is neither a text, a number nor a list of such (" + file + ", line 2)",
		"colour: there is no such setting (" + file + ", line 1)",
		"listen: is not host:port (flag)",
		"secret_key: is not 32 bytes in base64 or hex: make one with `openssl rand -base64 32` (variable REGISTRY_SECRET_KEY)",
		"max_upload_npm: \"lots\" is not a size such as 500MiB (variable REGISTRY_MAX_UPLOAD_NPM)",
		"log_level: \"loud\" is not one of debug, info, warn, error (variable REGISTRY_LOG_LEVEL)",
		"tls_cert, tls_key: one is set without the other",
	}
	if diff := cmp.Diff(err, error(want)); diff != "" {
		t.Error(diff)
	}
}

func TestProblems(t *testing.T) {
	tests := []struct {
		name, variable, want string // want: part of the problem; empty: none
	}{
		{"port too large", "LISTEN=127.0.0.1:65536", "port"},
		{"port by name", "LISTEN=127.0.0.1:http", "port"},
		{"IPv6", "LISTEN=[::1]:80", ""},
		{"all addresses without a URL", "LISTEN=:8080", "external_url: must be set"},
		{"public address without a URL", "LISTEN=192.0.2.1:8080", "external_url: must be set"},
		{"metrics anywhere", "METRICS_LISTEN=:9090", ""},
		{"other scheme", "EXTERNAL_URL=ftp://example.test", "not an http"},
		{"no host", "EXTERNAL_URL=https:///x", "not an http"},
		{"password in the URL", "EXTERNAL_URL=https://u:p@example.test", "more than scheme"},
		{"query", "EXTERNAL_URL=https://example.test/?a=b", "more than scheme"},
		{"dot segment", "EXTERNAL_URL=https://example.test/a/../b", "path prefix"},
		{"escape", "EXTERNAL_URL=https://example.test/a%2fb", "path prefix"},
		{"double slash", "EXTERNAL_URL=https://example.test//a", "path prefix"},
		{"prefix", "EXTERNAL_URL=https://example.test/a/b.c/", ""},
		{"other database", "DATABASE_URL=mysql://x/y", "does not begin with one of"},
		{"no database", "DATABASE_URL=postgres://", "names no place"},
		{"unescaped password", "DATABASE_URL=postgres://u:ca%nary@h/d", "escape the special characters"},
		{"SQLite path", "DATABASE_URL=sqlite:///var/lib/a b%zz.db", ""},
		{"other bucket", "BUCKET_URL=ftp://x", "does not begin with one of"},
		{"memory", "BUCKET_URL=mem://", ""},
		{"empty key", "SECRET_KEY=", "is empty"},
		{"blank key", "SECRET_KEY= ", "is empty"},
		{"short key", "SECRET_KEY=8d969eef6ecad3c2", "not 32 bytes"},
		{"good key", "SECRET_KEY=" + sampleKey, ""},
		{"negative size", "REDIRECT_MIN=-1", "not a size"},
		{"huge size", "REDIRECT_MIN=9999999999TiB", "too large"},
		{"no upload at all", "MAX_UPLOAD_MAVEN=0", "below 1 bytes"},
		{"tiny cache", "CACHE_SIZE=1KiB", "below"},
		{"no network", "TRUSTED_PROXIES=10.0.0.0/8,proxy", `"proxy" is neither`},
		{"other form", "TARBALL_URLS=github", "not one of canonical, gitlab"},
		{"both set", "TLS_KEY=/k", "without the other"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load(nil, []string{"REGISTRY_" + tt.variable})
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want %q", err, tt.want)
			case err != nil && strings.Contains(err.Error(), "ca%nary"):
				t.Errorf("shows the password: %v", err)
			}
		})
	}
}

// What `registry config` prints can be pasted into a bug report (threats.md O1).
func TestSettingsHideSecrets(t *testing.T) {
	c, err := Load(nil, []string{
		"REGISTRY_DATABASE_URL=postgres://registry:canary@db/registry?sslpassword=canary&sslmode=require", "REGISTRY_SECRET_KEY=" + sampleKey,
		"REGISTRY_BUCKET_URL=s3://packages?region=here&awssecret=canary",
	})
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("%v %+v %#v", c.Settings(), c, *c)
	if strings.Contains(text, "canary") || strings.Contains(text, sampleKey[:12]) {
		t.Errorf("a secret shows: %s", text)
	}
	for _, want := range []string{"postgres://registry:xxxxx@db/registry?sslmode=require&sslpassword=redacted", "awssecret=redacted&region=here"} {
		if !strings.Contains(text, want) {
			t.Errorf("missing %s in %s", want, text)
		}
	}
	if c.DatabaseURL.Reveal() != "postgres://registry:canary@db/registry?sslpassword=canary&sslmode=require" {
		t.Errorf("got %q", c.DatabaseURL.Reveal())
	}
}

func TestWarnings(t *testing.T) {
	c, err := Load(nil, []string{"REGISTRY_LISTEN=:80", "REGISTRY_EXTERNAL_URL=http://example.test", "REGISTRY_BUCKET_URL=mem://"})
	if err != nil || len(c.Warnings()) != 2 {
		t.Errorf("got %v, %v", c, err)
	}
}

func FuzzParseSize(f *testing.F) {
	for _, seed := range []string{"0", "500MiB", "3 GiB", "1TB", "99999999999TiB", "-1", "1.5GiB"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := parseSize(text)
		if err != nil {
			return
		}
		if n < 0 {
			t.Errorf("%q is %d", text, n)
		}
		if again, err := parseSize(fmt.Sprint(n)); err != nil || again != n {
			t.Errorf("%q is %d, printed %d", text, n, again)
		}
	})
}
