# Functions for the installers beside this file, which source it.
#
# Everything goes below $CLIENTS_DIR (default: ~/.cache/pakhus-clients), never
# into the repository. A client that is in place is left alone, so every
# installer may run again at no cost. Versions are pinned in the installers.
set -euo pipefail
CLIENTS_DIR="${CLIENTS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/pakhus-clients}"
mkdir -p "$CLIENTS_DIR/bin" "$CLIENTS_DIR/logs"
CLIENTS_DIR="$(cd "$CLIENTS_DIR" && pwd)"
export CLIENTS_DIR

say() { printf '%s\n' "$*" >&2; }

# quiet NAME COMMAND...: run it at low priority with its output in a log, whose
# end is shown when it fails.
quiet() {
  local log="$CLIENTS_DIR/logs/$1.log"
  shift
  if ! nice -n 10 "$@" >"$log" 2>&1 </dev/null; then
    say "failed: $* (whole output: $log)"
    tail -n 20 "$log" >&2
    return 1
  fi
}

# as_root COMMAND...: directly as root, else by sudo that asks for no password.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

# debs PACKAGE...: install the Debian packages that are missing.
debs() {
  local p missing=()
  for p in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing+=("$p")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  local root=()
  [ "$(id -u)" = 0 ] || root=(sudo -n)
  quiet apt-update "${root[@]}" apt-get -q update
  quiet "apt-${missing[0]}" "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
    --no-install-recommends -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 install "${missing[@]}"
}

# wrapper NAME BODY: a shell script $CLIENTS_DIR/bin/NAME, put in place whole.
wrapper() {
  local file="$CLIENTS_DIR/bin/$1"
  printf '#!/bin/sh\n%s\n' "$2" >"$file.$$"
  chmod 755 "$file.$$"
  mv "$file.$$" "$file"
}

# npm_dir FOLDER PACKAGE@VERSION...: npm packages in a folder of their own,
# $CLIENTS_DIR/npm/FOLDER; none of their scripts run.
npm_dir() {
  local dir="$CLIENTS_DIR/npm/$1" want
  shift
  want="$*"
  [ "$(cat "$dir/.installed" 2>/dev/null)" != "$want" ] || return 0
  rm -rf "$dir"
  mkdir -p "$dir"
  printf '{"private":true}\n' >"$dir/package.json"
  quiet "npm-$(basename "$dir")" npm --prefix "$dir" install --no-save --no-package-lock \
    --no-audit --no-fund --ignore-scripts --loglevel=error "$@"
  printf '%s' "$want" >"$dir/.installed"
}

# go_tool BINARY MODULE/PACKAGE@VERSION: a Go program as $CLIENTS_DIR/bin/BINARY.
go_tool() {
  local bin="$1" spec="$2" stamp="$CLIENTS_DIR/logs/$1.installed" tmp
  [ ! -x "$CLIENTS_DIR/bin/$bin" ] || [ "$(cat "$stamp" 2>/dev/null)" != "$spec" ] || return 0
  tmp="$(mktemp -d)"
  quiet "go-$bin" env GOBIN="$tmp" CGO_ENABLED=0 go install -p "${GO_P:-2}" -trimpath -ldflags='-s -w' "$spec" ||
    { rm -rf "$tmp"; return 1; }
  mv "$tmp"/* "$CLIENTS_DIR/bin/$bin"
  rm -rf "$tmp"
  printf '%s' "$spec" >"$stamp"
}
