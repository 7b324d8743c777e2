#!/bin/sh
# Copyright 2026 The Rostra Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Builds the pinned Alertmanager from its Go module, once per machine, and prints the path of the program. Progress goes to
# standard error. Safe to run at any time and in parallel.
#
# alertmanager.mod and alertmanager.sum pin the module itself; what it is made of is pinned by its own go.sum, so it is
# built as its authors build it. A module does not carry the pages of the web interface, which are made by npm, and does not
# compile without them: one empty page stands in. The API is complete.
#
# ROSTRA_CACHE_DIR says where it is kept; default $XDG_CACHE_HOME/rostra or ~/.cache/rostra.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
cache=${ROSTRA_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/rostra}/alertmanager
module=github.com/prometheus/alertmanager

say() { printf 'alertmanager: %s\n' "$*" >&2; }
fail() {
	say "$*"
	exit 1
}
command -v go >/dev/null 2>&1 || {
	say "the go command was not found; install Go"
	exit 3 # a tool is missing: callers may skip
}

if command -v sha256sum >/dev/null 2>&1; then
	digest() { sha256sum; }
else
	digest() { shasum -a 256; } # macOS
fi

# It runs on the machine that builds it, whatever the caller is building for.
unset GOOS GOARCH GOFLAGS
export GOWORK=off CGO_ENABLED=0

platform=$(go env GOVERSION GOHOSTOS GOHOSTARCH)
key=$({
	printf '%s\n' "$platform"
	cat "$here/build.sh" "$here/alertmanager.mod" "$here/alertmanager.sum"
} | digest | cut -c1-16)
program=$cache/$key/alertmanager
if [ -x "$program" ]; then
	printf '%s\n' "$program"
	exit 0
fi

mkdir -p "$cache/$key"
work=$(mktemp -d "$cache/.building.XXXXXX")
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say "building $(sed -n 's/^require //p' "$here/alertmanager.mod") into $cache/$key (a minute on two cores, downloads included)"
mkdir "$work/pin"
cp "$here/alertmanager.mod" "$work/pin/go.mod"
cp "$here/alertmanager.sum" "$work/pin/go.sum"
(cd "$work/pin" && go mod download "$module") >&2 || fail 'the module could not be had, or is not the pinned one; the lines above say why'
source=$(cd "$work/pin" && go list -m -f '{{.Dir}}' "$module")
[ -d "$source" ] || fail "the module $module was downloaded and is not there"

cp -R "$source" "$work/source"
chmod -R u+w "$work/source"
mkdir -p "$work/source/ui/app/dist"
echo '<!doctype html><title>Alertmanager</title><p>Built without its pages.' >"$work/source/ui/app/dist/index.html"
(cd "$work/source" && go build -trimpath -buildvcs=false -ldflags='-s -w' -o "$work/alertmanager" ./cmd/alertmanager) >&2 ||
	fail 'the build failed; the lines above say why'
mv -f "$work/alertmanager" "$program"
say 'built'
printf '%s\n' "$program"
