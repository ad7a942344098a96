package main

import (
	"strings"

	"pakhus/internal/gitlab"
	"pakhus/internal/httpapi"
	"pakhus/internal/maven"
	"pakhus/internal/npm"
	"pakhus/internal/nuget"
)

// management is the management API.
func (p *parts) management() httpapi.API {
	return gitlab.New(p.packages, p.tokens, gitlab.Options{ExternalURL: p.config.ExternalURL.String(), Version: programVersion().Version})
}

// npm serves npm packages.
func (p *parts) npm() (*npm.Handler, error) {
	signer, err := npm.NewSigner(p.key.Reveal())
	if err != nil {
		return nil, err
	}
	hosts, err := npm.ParseHosts(p.config.NPMHosts)
	if err != nil {
		return nil, err
	}
	confusion, err := npm.ParseConfusionMode(p.config.NPMManifestCheck)
	if err != nil {
		return nil, err
	}
	return npm.New(p.packages, p.tokens, npm.Options{
		ExternalURL: strings.TrimRight(p.config.ExternalURL.String(), "/"),
		Tarballs:    npm.TarballForm(p.config.TarballURLs),
		MaxUpload:   p.config.MaxUploadNPM,
		RedirectMin: p.config.RedirectMin,
		Hosts:       hosts,
		Confusion:   confusion,
		Signer:      signer,
	})
}

// maven serves Maven repositories.
func (p *parts) maven() (*maven.Handler, error) {
	return maven.New(p.packages, maven.Options{MaxUpload: p.config.MaxUploadMaven, RedirectMin: p.config.RedirectMin})
}

// nuget serves NuGet packages.
func (p *parts) nuget() (*nuget.Handler, error) {
	return nuget.New(p.packages, nuget.Options{
		ExternalURL: strings.TrimRight(p.config.ExternalURL.String(), "/"),
		MaxUpload:   p.config.MaxUploadNuGet,
	})
}
