#!/bin/sh
# Copyright 2026 The Rostra Authors.
# SPDX-License-Identifier: Apache-2.0

# Checks that what is generated from the types, markers and adapters, and go.mod, are as `make generate` and `go mod tidy` write
# them. It works on a copy, so that it changes nothing and does not mind uncommitted work.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT INT TERM
cd "$root"
git ls-files --cached --others --exclude-standard | while IFS= read -r file; do
	if [ -f "$file" ]; then printf '%s\n' "$file"; fi
done | tar -cf - -T - | tar -xf - -C "$copy"
cp -R "$copy" "$copy.before"
trap 'rm -rf "$copy" "$copy.before"' EXIT INT TERM
(cd "$copy" && make --no-print-directory -s generate >/dev/null && go mod tidy)
if ! diff -ru "$copy.before" "$copy"; then
	echo "generated files are not current: run 'make generate' and 'go mod tidy', and commit what they write" >&2
	exit 1
fi
echo "generated files are current"
