#!/usr/bin/env bash
# What `make bench` needs besides Go: wrk makes the load, nginx is what the
# registry is compared with. Usage: load.sh
cd "$(dirname "$0")" && . ./lib.sh

# without_services COMMAND...: Debian starts nginx on port 80 as soon as it is
# installed, unless this file forbids it. One that exists is left as it is.
without_services() {
  local policy=/usr/sbin/policy-rc.d
  if [ -e "$policy" ]; then
    "$@"
    return
  fi
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
  # Expanded now: the name is gone when the trap runs.
  # shellcheck disable=SC2064
  trap "as_root rm -f $policy" EXIT
  as_root chmod 755 "$policy"
  "$@"
}

# A Debian user's PATH does not have /usr/sbin, where nginx is.
have() { PATH="$PATH:/usr/sbin" command -v "$1" >/dev/null; }

have wrk || debs wrk
have nginx || without_services debs nginx-light
