#!/bin/sh
# Copyright 2026 The Rostra Authors.
# SPDX-License-Identifier: Apache-2.0

# Prints the path of a development tool, building it first if it is not in the cache.
#
#   $(hack/tools/install.sh controller-gen) object paths=./api/...
#
# Versions are pinned in go.mod beside this script. A binary is kept under a key made from everything that
# decides what it does (pinned modules, its own sources, Go version, platform), so a change of any of them builds
# a new one, and going back to an older commit finds the old one again. The path is the only thing on stdout.
set -eu

usage() {
	echo "usage: hack/tools/install.sh controller-gen | crd-ref-docs | ginkgo | golangci-lint | archlint" >&2
	exit 64
}

[ $# -eq 1 ] || usage
name=$1
case $name in
controller-gen) package=sigs.k8s.io/controller-tools/cmd/controller-gen ;;
crd-ref-docs) package=github.com/elastic/crd-ref-docs ;;
ginkgo) package=github.com/onsi/ginkgo/v2/ginkgo ;;
golangci-lint | archlint) package=./$name ;;
*) usage ;;
esac

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
cd "$here"

# A tool runs on the machine that builds it, whatever the caller is cross-compiling for.
unset GOOS GOARCH GOFLAGS
export GOWORK=off CGO_ENABLED=0

if command -v sha256sum >/dev/null 2>&1; then
	sha256() { sha256sum; }
else
	sha256() { shasum -a 256; }
fi

# The files that decide what the tool does; the sources of this module count only for the tool made from them.
inputs() {
	printf '%s\n' go.mod go.sum
	case $package in
	./*) find "$package" -name '*.go' ! -name '*_test.go' ! -path '*/testdata/*' | LC_ALL=C sort ;;
	esac
}

platform=$(go env GOVERSION GOHOSTOS GOHOSTARCH)
key=$({
	printf '%s\n' "$platform"
	inputs | while IFS= read -r file; do
		printf '%s\n' "$file"
		cat -- "$file"
	done
} | sha256 | cut -c1-16)

cache=${ROSTRA_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/rostra}
dir=$cache/tools/$key
binary=$dir/$name

if [ ! -x "$binary" ]; then
	mkdir -p "$dir"
	# Build beside the target and rename, so that nobody ever runs half a file and two builds do not disturb
	# each other.
	building=$(mktemp -d "$dir/.building.XXXXXX")
	trap 'rm -rf "$building"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	echo "building $name (kept in $dir)" >&2
	go build -trimpath -buildvcs=false -ldflags='-s -w' -o "$building/$name" "$package" >&2
	mv -f "$building/$name" "$binary"
fi

printf '%s\n' "$binary"
