package main

import (
	"pakhus/internal/gitlab"
	"pakhus/internal/httpapi"
)

// management is the management API.
func (p *parts) management() httpapi.API {
	return gitlab.New(p.packages, p.tokens, gitlab.Options{ExternalURL: p.config.ExternalURL.String(), Version: programVersion().Version})
}

// protocols are the package formats that the server speaks.
func (p *parts) protocols() ([]httpapi.Protocol, error) {
	return nil, nil
}
