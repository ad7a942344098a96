package config

import (
	"errors"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"pakhus/internal/observe"
	"pakhus/internal/seal"
)

// setting is a row of the table below: how a text becomes a field, and how the
// field is shown.
type setting struct {
	key      string
	fallback string // text when nothing is set; "" leaves it to derive
	set      func(c *Config, text string) error
	show     func(c *Config) string
}

// minCache is what the caches need to be of any use, in bytes.
const minCache = 1 << 20

// table lists all settings, in the order of the documentation.
var table = []setting{
	{
		"listen", "127.0.0.1:8080", func(c *Config, s string) (err error) { c.Listen, err = parseAddress(s); return },
		func(c *Config) string { return c.Listen },
	},
	{
		"metrics_listen", "", func(c *Config, s string) (err error) { c.MetricsListen, err = parseAddress(s); return },
		func(c *Config) string { return c.MetricsListen },
	},
	{
		"external_url", "", func(c *Config, s string) (err error) { c.ExternalURL, err = parseExternalURL(s); return },
		func(c *Config) string { return c.ExternalURL.String() },
	},
	{
		"data_dir", "data", func(c *Config, s string) (err error) { c.DataDir, err = parseDir(s); return },
		func(c *Config) string { return c.DataDir },
	},
	{"database_url", "", func(c *Config, s string) (err error) {
		c.DatabaseURL, err = parseLocation(s, "sqlite", "postgres", "postgresql")
		return
	}, func(c *Config) string { return showLocation(c.DatabaseURL) }},
	{"bucket_url", "", func(c *Config, s string) (err error) {
		c.BucketURL, err = parseLocation(s, "file", "s3", "gs", "azblob", "mem")
		return
	}, func(c *Config) string { return showLocation(c.BucketURL) }},
	{"secret_key", "", setSecretKey, showSecretKey},
	{"tls_cert", "", func(c *Config, s string) error { c.TLSCert = s; return nil }, func(c *Config) string { return c.TLSCert }},
	{"tls_key", "", func(c *Config, s string) error { c.TLSKey = s; return nil }, func(c *Config) string { return c.TLSKey }},
	sizeSetting("max_upload_npm", "500MiB", 1, func(c *Config) *int64 { return &c.MaxUploadNPM }),
	sizeSetting("max_upload_nuget", "500MiB", 1, func(c *Config) *int64 { return &c.MaxUploadNuGet }),
	sizeSetting("max_upload_maven", "3GiB", 1, func(c *Config) *int64 { return &c.MaxUploadMaven }),
	sizeSetting("cache_size", "256MiB", minCache, func(c *Config) *int64 { return &c.CacheSize }),
	sizeSetting("redirect_min", "0", 0, func(c *Config) *int64 { return &c.RedirectMin }),
	{
		"tarball_urls", Canonical, func(c *Config, s string) (err error) { c.TarballURLs, err = parseWord(s, Canonical, GitLab); return },
		func(c *Config) string { return c.TarballURLs },
	},
	{"npm_hosts", "", func(c *Config, s string) (err error) { c.NPMHosts, err = parseNPMHosts(s); return }, func(c *Config) string { return c.NPMHosts }},
	{
		"npm_manifest_check", "refuse", func(c *Config, s string) (err error) {
			c.NPMManifestCheck, err = parseWord(s, "refuse", "warn", "ignore")
			return
		}, func(c *Config) string { return c.NPMManifestCheck },
	},
	{"trusted_proxies", "", func(c *Config, s string) (err error) { c.TrustedProxies, err = parseNetworks(s); return }, showNetworks},
	{
		"log_format", "", func(c *Config, s string) (err error) { c.LogFormat, err = parseWord(s, "json", "text"); return },
		func(c *Config) string { return c.LogFormat },
	},
	{
		"log_level", "info", func(c *Config, s string) (err error) {
			c.LogLevel, err = parseWord(s, "debug", "info", "warn", "error")
			return
		},
		func(c *Config) string { return c.LogLevel },
	},
}

func sizeSetting(key, fallback string, least int64, field func(*Config) *int64) setting {
	return setting{key, fallback, func(c *Config, s string) error {
		n, err := parseSize(s)
		if err == nil && n < least {
			err = errors.New("is below " + strconv.FormatInt(least, 10) + " bytes")
		}
		*field(c) = n
		return err
	}, func(c *Config) string { return strconv.FormatInt(*field(c), 10) }}
}

func setSecretKey(c *Config, text string) (err error) {
	c.SecretKey, err = seal.ParseKey(text)
	c.HasSecretKey = err == nil
	return err
}

func showSecretKey(c *Config) string {
	if c.HasSecretKey {
		return "[redacted]"
	}
	return "in " + c.SecretKeyFile()
}

func showNetworks(c *Config) string {
	texts := make([]string, len(c.TrustedProxies))
	for i, network := range c.TrustedProxies {
		texts[i] = network.String()
	}
	return strings.Join(texts, ",")
}

func known(key string) bool {
	for _, s := range table {
		if s.key == key {
			return true
		}
	}
	return false
}

// config applies the table, and then what concerns several settings.
func (l *loader) config() *Config {
	c := &Config{}
	for _, s := range table {
		v, ok := l.values[s.key]
		if !ok || v.text == "" && s.key != "secret_key" {
			v = value{s.fallback, "default"}
			l.values[s.key] = v
			if v.text == "" {
				continue
			}
		}
		if err := s.set(c, v.text); err != nil {
			l.problem("%s: %v (%s)", s.key, err, v.source)
		}
	}
	l.derive(c)
	if len(l.problems) > 0 {
		return nil
	}
	for _, s := range table {
		c.shown = append(c.shown, Setting{s.key, s.show(c), l.values[s.key].source})
	}
	return c
}

// derive fills what depends on other settings, and checks what must agree.
func (l *loader) derive(c *Config) {
	if (c.TLSCert == "") != (c.TLSKey == "") {
		l.problem("tls_cert, tls_key: one is set without the other")
	}
	if c.ExternalURL == nil && c.Listen != "" {
		l.deriveExternalURL(c)
	}
	if c.DatabaseURL.IsEmpty() {
		c.DatabaseURL = observe.NewSecret("sqlite://" + filepath.ToSlash(filepath.Join(c.DataDir, "registry.db")))
	}
	if c.BucketURL.IsEmpty() {
		c.BucketURL = observe.NewSecret((&url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(c.DataDir, "blobs"))}).String())
	}
}

// deriveExternalURL makes the URL from the address that the server listens on.
// For any but a loopback address that would be a URL which clients cannot use,
// or one without TLS that nobody chose: then it must be set (threats.md O4).
func (l *loader) deriveExternalURL(c *Config) {
	if l.values["external_url"].text != "" {
		return // set, and refused already
	}
	if !loopback(c.Listen) {
		l.problem("external_url: must be set when listen (%s) is not a loopback address, to the URL by which clients reach the server", c.Listen)
		return
	}
	text := "http://" + c.Listen
	if c.TLSCert != "" {
		text = "https://" + c.Listen
	}
	external, err := parseExternalURL(text)
	if err != nil {
		l.problem("listen: makes no URL: %v", err)
		return
	}
	c.ExternalURL, c.ExternalURLDerived = external, true
}
