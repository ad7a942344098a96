package config

import (
	"net/netip"
	"net/url"
	"path/filepath"

	"pakhus/internal/observe"
	"pakhus/internal/seal"
)

// Config is what an operator decides. Each field names its key: in YAML as it
// is, as a variable in capitals after REGISTRY_, as a flag with dashes.
type Config struct {
	// Listen is the address of the API and the web pages (listen), host:port.
	Listen string
	// MetricsListen is a separate address for /metrics and profiles
	// (metrics_listen); empty: /metrics on Listen, for loopback and administrators.
	MetricsListen string
	// ExternalURL is the base of every URL that we emit (external_url), without
	// final slash. It may hold a path prefix.
	ExternalURL *url.URL
	// ExternalURLDerived says that ExternalURL was made from Listen.
	ExternalURLDerived bool
	// DataDir holds the SQLite file, the local bucket, the spool and the instance
	// key (data_dir). Absolute.
	DataDir string
	// DatabaseURL is sqlite://PATH or postgres://… (database_url). It may hold a
	// password.
	DatabaseURL observe.Secret
	// BucketURL is file://, s3://, gs://, azblob:// or mem:// (bucket_url).
	BucketURL observe.Secret
	// SecretKey seals what must be readable again (secret_key). Without one the
	// key in SecretKeyFile is used, and made at the first start.
	SecretKey    seal.Key
	HasSecretKey bool
	// TLSCert and TLSKey are PEM files (tls_cert, tls_key). With both the server
	// speaks TLS and HTTP/2.
	TLSCert, TLSKey string
	// MaxUploadNPM and the others bound a package file of their format, in bytes
	// that really arrived (max_upload_npm, max_upload_nuget, max_upload_maven).
	MaxUploadNPM, MaxUploadNuGet, MaxUploadMaven int64
	// CacheSize bounds all caches in memory together, in bytes (cache_size).
	CacheSize int64
	// RedirectMin is the size in bytes from which downloads are redirected to a
	// bucket that signs (redirect_min); 0: never.
	RedirectMin int64
	// TarballURLs is the form of npm tarball addresses: canonical or gitlab
	// (tarball_urls).
	TarballURLs string
	// NPMHosts are npm registries with a host name of their own (npm_hosts), each
	// HOST=projects/PATH or HOST=groups/PATH, separated by commas.
	NPMHosts string
	// NPMManifestCheck says what happens to an npm publish whose manifest differs
	// from the package.json in its tarball (npm_manifest_check): refuse, warn or
	// ignore.
	NPMManifestCheck string
	// TrustedProxies may tell the client's address (trusted_proxies): networks,
	// with commas between them.
	TrustedProxies []netip.Prefix
	// LogFormat is json or text (log_format); empty: text on a terminal, else json.
	LogFormat string
	// LogLevel is debug, info, warn or error (log_level).
	LogLevel string

	shown []Setting
}

// The values of TarballURLs.
const (
	Canonical = "canonical"
	GitLab    = "gitlab"
)

// SpoolDir holds bodies on their way in.
func (c *Config) SpoolDir() string { return filepath.Join(c.DataDir, "spool") }

// SecretKeyFile holds the instance key unless the settings do.
func (c *Config) SecretKeyFile() string { return filepath.Join(c.DataDir, "secret.key") }

// Setting is one setting as `registry config` shows it, secrets hidden.
type Setting struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Source string `json:"source"` // where the value is from
}

// Settings gives all settings in the order of the documentation.
func (c *Config) Settings() []Setting { return c.shown }

// Warnings are settings that work and that an operator should think about once
// more.
func (c *Config) Warnings() []string {
	var w []string
	if !loopback(c.Listen) && c.ExternalURL.Scheme == "http" {
		w = append(w, "external_url is http: tokens travel unencrypted; use TLS here or in the proxy in front")
	}
	if scheme(c.BucketURL) == "mem" {
		w = append(w, "bucket_url is mem: packages are lost when the server stops")
	}
	return w
}
