#!/bin/sh
# Copyright 2026 The Rostra Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Installs the pinned Bluesky PDS once per machine and prints the directory that
# holds it. Progress goes to standard error. Safe to run at any time and in
# parallel: a finished install is recognised by its name and used as it is.
#
# Needs Node 20, 22 or 24 with npm, and g++, make and python3, because the PDS's
# SQLite driver is compiled from source. The Node headers are taken from the
# Node prefix (on Debian: the package libnode-dev).
#
# ROSTRA_CACHE_DIR says where; default $XDG_CACHE_HOME/rostra or ~/.cache/rostra.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
cache=${ROSTRA_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/rostra}/pds

say() { printf 'pds: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
lacks() { say "$*"; exit 3; } # a tool is missing: callers may skip

command -v node >/dev/null 2>&1 || lacks 'node is not in the PATH; install Node 20, 22 or 24'

# One start of Node answers both questions: which install fits this machine,
# and where are the headers to compile against.
facts=$(node -e '
  const { createHash } = require("crypto"), fs = require("fs"), path = require("path");
  const hash = createHash("sha256");
  for (const file of ["package.json", "package-lock.json"]) hash.update(fs.readFileSync(path.join(process.argv[1], file)));
  hash.update([process.version, process.platform, process.arch].join(" "));
  const prefix = path.dirname(path.dirname(fs.realpathSync(process.execPath)));
  const headers = fs.existsSync(path.join(prefix, "include", "node", "node.h")) ? prefix : "";
  console.log(hash.digest("hex").slice(0, 16) + " " + process.version + " " + headers);
' "$here")
key=${facts%% *}
rest=${facts#* }
version=${rest%% *}
nodedir=${rest#* }
target=$cache/$key

if [ -d "$target" ]; then
  printf '%s\n' "$target"
  exit 0
fi

case $version in
  v20.* | v22.* | v24.*) ;;
  *) say "Node $version is untried here; Node 20, 22 and 24 are known to work" ;;
esac
for tool in npm g++ make python3; do
  command -v "$tool" >/dev/null 2>&1 || lacks "$tool is not in the PATH; it is needed to build the SQLite driver"
done

mkdir -p "$cache"
# The system releases the lock when its holder dies, so it can never be left
# behind. Without flock two installs may run side by side; the rename below
# still lets exactly one of them win.
if command -v flock >/dev/null 2>&1; then
  exec 9>"$cache/.lock"
  if ! flock -n 9; then
    say 'waiting for another install to finish'
    flock 9
  fi
  if [ -d "$target" ]; then
    printf '%s\n' "$target"
    exit 0
  fi
  rm -rf "$cache"/.new-* # left by installs that were killed
fi

work=$(mktemp -d "$cache/.new-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
cp "$here/package.json" "$here/package-lock.json" "$work/"

if [ -n "$nodedir" ]; then
  # npm passes the first name to node-gyp until its version 12, the second since 11.
  export npm_config_nodedir="$nodedir" npm_package_config_node_gyp_nodedir="$nodedir"
else
  say 'no Node headers beside this Node; node-gyp will look for them itself'
fi
# A driver compiled here, rather than a binary fetched by an install script.
export npm_config_build_from_source=true

say "installing for Node $version into $target (about two minutes)"
(cd "$work" && npm ci --omit=dev --no-audit --no-fund --loglevel=error) >&2 9>&- ||
  fail 'npm ci failed; the lines above say why. A compiler error means that g++, make, python3 or the Node headers are missing'
(cd "$work" && node -e 'new (require("better-sqlite3"))(":memory:").close()') >&2 ||
  fail 'the SQLite driver was installed but does not load; look for "better-sqlite3" in the lines above'

# mv would move the directory INTO an existing one; rename(2) refuses instead.
if ! node -e 'require("fs").renameSync(process.argv[1], process.argv[2])' "$work" "$target" 2>/dev/null; then
  [ -d "$target" ] || fail "could not move the install to $target"
fi
say 'installed'
printf '%s\n' "$target"
