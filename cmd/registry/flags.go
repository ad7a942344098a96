package main

import "pakhus/internal/config"

// settingFlags are the settings that every command takes. A nil one was not
// given. The secret key has none: arguments can be seen by everybody on the
// machine.
type settingFlags struct {
	ConfigFile     *string `name:"config" placeholder:"FILE" help:"YAML file with settings."`
	Listen         *string `placeholder:"HOST:PORT" help:"Address of the API and the web pages; 127.0.0.1:8080."`
	MetricsListen  *string `placeholder:"HOST:PORT" help:"Separate address for /metrics and profiles."`
	ExternalURL    *string `name:"external-url" placeholder:"URL" help:"Base of every URL that is emitted."`
	DataDir        *string `placeholder:"DIR" help:"Folder of the database, packages, spool and key; ./data."`
	DatabaseURL    *string `name:"database-url" placeholder:"URL" help:"sqlite://PATH or postgres://…"`
	BucketURL      *string `name:"bucket-url" placeholder:"URL" help:"file://, s3://, gs://, azblob:// or mem://."`
	TLSCert        *string `name:"tls-cert" placeholder:"FILE" help:"Certificate chain, PEM."`
	TLSKey         *string `name:"tls-key" placeholder:"FILE" help:"Private key, PEM."`
	NPMHosts       *string `name:"npm-hosts" placeholder:"HOST=projects/PATH" help:"npm registries with a host name of their own, separated by commas."`
	NPMManifests   *string `name:"npm-manifest-check" placeholder:"WHAT" help:"npm manifests that differ from their tarball: refuse, warn or ignore."`
	MaxUploadNPM   *string `name:"max-upload-npm" placeholder:"SIZE" help:"Largest npm tarball; 500MiB."`
	MaxUploadNuGet *string `name:"max-upload-nuget" placeholder:"SIZE" help:"Largest NuGet package; 500MiB."`
	MaxUploadMaven *string `name:"max-upload-maven" placeholder:"SIZE" help:"Largest Maven file; 3GiB."`
	CacheSize      *string `placeholder:"SIZE" help:"Bound of all caches together; 256MiB."`
	RedirectMin    *string `placeholder:"SIZE" help:"Redirect larger downloads to the bucket; 0: never."`
	TarballURLs    *string `name:"tarball-urls" placeholder:"FORM" help:"Form of npm tarball addresses: canonical or gitlab."`
	TrustedProxies *string `placeholder:"NETWORKS" help:"Networks whose X-Forwarded-For counts."`
	LogFormat      *string `placeholder:"FORM" help:"json or text."`
	LogLevel       *string `placeholder:"LEVEL" help:"debug, info, warn or error."`
}

// given are the flags that were on the command line, by key of the setting.
func (f *settingFlags) given() config.Flags {
	flags := config.Flags{}
	for key, text := range map[string]*string{
		"config": f.ConfigFile, "listen": f.Listen, "metrics_listen": f.MetricsListen, "external_url": f.ExternalURL,
		"data_dir": f.DataDir, "database_url": f.DatabaseURL, "bucket_url": f.BucketURL, "tls_cert": f.TLSCert,
		"tls_key": f.TLSKey, "npm_hosts": f.NPMHosts, "npm_manifest_check": f.NPMManifests, "max_upload_npm": f.MaxUploadNPM, "max_upload_nuget": f.MaxUploadNuGet,
		"max_upload_maven": f.MaxUploadMaven, "cache_size": f.CacheSize, "redirect_min": f.RedirectMin,
		"tarball_urls": f.TarballURLs, "trusted_proxies": f.TrustedProxies, "log_format": f.LogFormat, "log_level": f.LogLevel,
	} {
		if text != nil {
			flags[key] = *text
		}
	}
	return flags
}
