#!/bin/sh
# Copyright 2026 The Rostra Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Installs the pinned OAuth server once per machine and prints the directory
# that holds it. Progress goes to standard error. Safe to run at any time and in
# parallel: a finished install is recognised by its name and used as it is.
#
# Needs Node 20, 22 or 24 with npm; nothing is compiled.
#
# ROSTRA_CACHE_DIR says where; default $XDG_CACHE_HOME/rostra or ~/.cache/rostra.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
cache=${ROSTRA_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/rostra}/oidc

say() { printf 'oidc: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
lacks() { say "$*"; exit 3; } # a tool is missing

for tool in node npm; do
  command -v "$tool" >/dev/null 2>&1 || lacks "$tool is not in the PATH; install Node 20, 22 or 24 with npm"
done

key=$(node -e '
  const { createHash } = require("crypto"), fs = require("fs"), path = require("path");
  const hash = createHash("sha256");
  for (const file of ["package.json", "package-lock.json"]) hash.update(fs.readFileSync(path.join(process.argv[1], file)));
  console.log(hash.update([process.version, process.platform, process.arch].join(" ")).digest("hex").slice(0, 16));
' "$here")
target=$cache/$key
if [ -d "$target" ]; then
  printf '%s\n' "$target"
  exit 0
fi

mkdir -p "$cache"
work=$(mktemp -d "$cache/.new-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
cp "$here/package.json" "$here/package-lock.json" "$work/"
say "installing into $target (a few seconds)"
(cd "$work" && npm ci --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error) >&2 ||
  fail 'npm ci failed; the lines above say why'

# mv would move the directory INTO an existing one, which another install may
# have made meanwhile; rename(2) refuses instead.
if ! node -e 'require("fs").renameSync(process.argv[1], process.argv[2])' "$work" "$target" 2>/dev/null; then
  [ -d "$target" ] || fail "could not move the install to $target"
fi
printf '%s\n' "$target"
