#!/usr/bin/env bash
# versitygw, a small S3 server over a local folder: the blob tests start one of
# their own on loopback.
# Usage: s3.sh
cd "$(dirname "$0")" && . ./lib.sh

go_tool versitygw github.com/versity/versitygw/cmd/versitygw@v1.8.0
