#!/usr/bin/env bash
# The linters, in pinned versions, built with the Go that builds the server.
cd "$(dirname "$0")/../clients" && . ./lib.sh

go_tool golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
go_tool govulncheck golang.org/x/vuln/cmd/govulncheck@v1.9.0
