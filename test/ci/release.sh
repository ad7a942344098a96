#!/usr/bin/env bash
# Proves that a release can be made: every platform of .goreleaser.yaml builds,
# the binary is static, and the same commit gives the same bytes in another
# folder. Needs a commit; what is not committed is not looked at.
cd "$(dirname "$0")/../clients" && . ./lib.sh
cd ../..

version=$(git describe --tags --always)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/a" "$work/other-name"
for copy in a other-name; do git archive HEAD | tar -x -C "$work/$copy"; done

# build FOLDER OS ARCH FILE, with the flags of .goreleaser.yaml
build() {
  (cd "$work/$1" && CGO_ENABLED=0 GOOS=$2 GOARCH=$3 \
    go build -tags disable_grpc_modules -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$version" -o "$4" ./cmd/registry)
}

for platform in linux/amd64 linux/arm64 darwin/arm64 windows/amd64; do
  build a "${platform%/*}" "${platform#*/}" "$work/registry-${platform/\//-}"
  say "builds: $platform"
done
os=$(go env GOOS) arch=$(go env GOARCH)
build a "$os" "$arch" "$work/one"
build other-name "$os" "$arch" "$work/two"
cmp "$work/one" "$work/two"
say "the same bytes from two folders: $(sha256sum <"$work/one" | cut -c1-16)"
if [ "$os" = linux ] && command -v file >/dev/null; then
  file "$work/one" | grep -q 'statically linked'
  say "one static file"
fi
"$work/one" version
if command -v goreleaser >/dev/null; then
  goreleaser check
else
  say "NOTE: goreleaser is not installed: .goreleaser.yaml is not checked by it"
fi
