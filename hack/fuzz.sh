#!/bin/sh
# Copyright 2026 The Rostra Authors.
# SPDX-License-Identifier: Apache-2.0

# Fuzzes every fuzz target of the module for the time given, one after another.
set -eu
time=${1:-30s}
cd "$(dirname -- "$0")/.."
grep -rlE '^func Fuzz[A-Z]' --include='*_test.go' . | while IFS= read -r file; do
	grep -oE '^func Fuzz[A-Za-z0-9_]+' "$file" | sed 's/^func //' | while IFS= read -r target; do
		echo "== $(dirname -- "$file") $target"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$(dirname -- "$file")"
	done
done
