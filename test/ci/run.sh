#!/usr/bin/env bash
# The steps of `make test`, each by its name: run.sh STEP...
# Nothing is written into the checkout; tools, clients and caches lie in
# $CLIENTS_DIR (see test/clients/lib.sh) and in Go's own caches. With CI set,
# what is missing fails the run; on a laptop it is a note.
cd "$(dirname "$0")/../clients" && . ./lib.sh
cd ../..
PATH="$CLIENTS_DIR/bin:$PATH"

notes=()
note() {
  if [ -n "${CI:-}" ] && [ "$1" != soft ]; then
    say "failed: $2"
    exit 1
  fi
  notes+=("$2")
}

# tools: the clients and servers that tests run against.
step_tools() {
  test/clients/s3.sh
  test/clients/maven.sh || note hard "clients of Maven repositories are not installed: their tests are skipped"
  test/clients/postgres.sh || note hard "PostgreSQL is not installed: its tests are skipped"
  if command -v npm >/dev/null; then
    test/clients/npm.sh && test/clients/gitlab.sh || note hard "npm clients are not installed: their tests are skipped"
    test/clients/nuget.sh || note hard "NuGet clients are not installed: their tests are skipped"
  else
    note hard "Node.js 20 or newer is not installed: tests with npm and NuGet clients are skipped"
  fi
}

step_lint() {
  test/ci/lint-tools.sh
  go vet ./...
  golangci-lint fmt --diff
  golangci-lint run ./...
}

step_unit() {
  local race=(-race)
  if ! command -v "${CC:-gcc}" >/dev/null; then
    note hard "no C compiler: the race detector is off"
    race=()
  fi
  go list ./... | grep -v '/test/e2e$' | xargs go test "${race[@]}" -timeout 12m
}

# The cache of results does not know what the built program is made of.
step_e2e() { go test -count=1 -timeout 30m ./test/e2e; }

# fuzz: every target for FUZZTIME; a finding is a file in testdata to commit. Each
# package is compiled once for all its targets. Making an input smaller may take a
# minute by default: the whole time, and more.
step_fuzz() {
  local dir target binary cache
  binary=$(mktemp) cache=$(go env GOCACHE)/fuzz
  grep -rlE '^func Fuzz' --include='*_test.go' cmd internal | xargs -n1 dirname | sort -u | while read -r dir; do
    go test -c -fuzz=Fuzz -o "$binary" "./$dir"
    grep -hoE '^func Fuzz[A-Za-z0-9_]*' "$dir"/*_test.go | while read -r _ target; do
      (cd "$dir" && "$binary" -test.run '^$' -test.fuzz "^$target\$" -test.fuzztime "${FUZZTIME:-5s}" \
        -test.fuzzminimizetime 10x -test.fuzzcachedir "$cache/pakhus/$dir" </dev/null)
    done
  done
  rm -f "$binary"
}

# vulnerabilities: in what the program really calls. The database is on another
# machine; without it there is no verdict, and that is not this code's fault.
step_vulnerabilities() {
  test/ci/lint-tools.sh
  local out
  if out=$(govulncheck ./... 2>&1); then
    printf '%s\n' "$out"
  elif grep -q 'fetching vulnerabilities' <<<"$out"; then
    note soft "the vulnerability database cannot be reached: not checked"
  else
    printf '%s\n' "$out"
    exit 1
  fi
}

for step in "$@"; do
  say "== $step"
  began=$SECONDS
  "step_$step"
  say "== $step: $((SECONDS - began)) s"
done
for text in "${notes[@]}"; do say "NOTE: $text"; done
