#!/bin/sh
# Copyright 2026 The Rostra Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Makes sure that a real Chromium and its driver are on this machine, and prints
# two lines: the directory of the driver, and the path of Chromium. Progress goes
# to standard error. Safe to run at any time.
#
# Chromium is the operating system's own. Where it is missing, this script
# changes the system: as root, on Debian and its like, it runs
#
#   apt-get update
#   apt-get install -y --no-install-recommends chromium
#
# Where it may not do that, it says so and ends with 3. CHROMIUM names a Chromium
# to be used in place of the one in the PATH.
#
# The driver is the npm package playwright-core, pinned, which downloads no
# browser. It needs Node 20, 22 or 24 with npm, and is kept in ROSTRA_CACHE_DIR;
# default $XDG_CACHE_HOME/rostra or ~/.cache/rostra.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)/driver
cache=${ROSTRA_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/rostra}/browser

say() { printf 'browser: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
lacks() { say "$*"; exit 3; } # a tool is missing

find_chromium() {
  for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
    [ -n "$name" ] && command -v "$name" && return 0
  done
  return 1
}

for tool in node npm; do
  command -v "$tool" >/dev/null 2>&1 || lacks "$tool is not in the PATH; install Node 20, 22 or 24 with npm"
done

if ! find_chromium >/dev/null; then
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    lacks 'Chromium is not on this machine, and only root can install it; on Debian: apt-get install -y --no-install-recommends chromium'
  fi
  say 'installing Chromium as a package of the operating system (a minute or two)'
  # A lock waits for another apt-get rather than failing beside it.
  apt-get -o DPkg::Lock::Timeout=300 update >&2 || fail 'apt-get update failed; the lines above say why'
  DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends chromium >&2 ||
    fail 'apt-get could not install chromium; the lines above say why'
fi
chromium=$(find_chromium) || fail 'chromium was installed and is not in the PATH'

key=$(node -e '
  const { createHash } = require("crypto"), fs = require("fs"), path = require("path");
  const hash = createHash("sha256");
  for (const file of ["package.json", "package-lock.json"]) hash.update(fs.readFileSync(path.join(process.argv[1], file)));
  console.log(hash.update([process.version, process.platform, process.arch].join(" ")).digest("hex").slice(0, 16));
' "$here")
target=$cache/$key
if [ ! -d "$target" ]; then
  mkdir -p "$cache"
  work=$(mktemp -d "$cache/.new-XXXXXX")
  trap 'rm -rf "$work"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  cp "$here/package.json" "$here/package-lock.json" "$work/"
  say "installing the driver into $target (a few seconds)"
  (cd "$work" && npm ci --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error) >&2 ||
    fail 'npm ci failed; the lines above say why'
  # mv would move the directory INTO an existing one, which another install may
  # have made meanwhile; rename(2) refuses instead.
  if ! node -e 'require("fs").renameSync(process.argv[1], process.argv[2])' "$work" "$target" 2>/dev/null; then
    [ -d "$target" ] || fail "could not move the driver to $target"
  fi
fi
printf '%s\n%s\n' "$target" "$chromium"
