package main

import (
	"strings"

	"pakhus/internal/gitlab"
	"pakhus/internal/httpapi"
	"pakhus/internal/npm"
)

// management is the management API.
func (p *parts) management() httpapi.API {
	return gitlab.New(p.packages, p.tokens, gitlab.Options{ExternalURL: p.config.ExternalURL.String(), Version: programVersion().Version})
}

// protocols are the package formats that the server speaks.
func (p *parts) protocols() ([]httpapi.Protocol, error) {
	signer, err := npm.NewSigner(p.key.Reveal())
	if err != nil {
		return nil, err
	}
	npmHandler, err := npm.New(p.packages, p.tokens, npm.Options{
		ExternalURL: strings.TrimRight(p.config.ExternalURL.String(), "/"),
		Tarballs:    npm.TarballForm(p.config.TarballURLs),
		MaxUpload:   p.config.MaxUploadNPM,
		RedirectMin: p.config.RedirectMin,
		Signer:      signer,
	})
	if err != nil {
		return nil, err
	}
	return []httpapi.Protocol{npmHandler}, nil
}
