#!/bin/sh
# Copyright 2026 The Rostra Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Builds etcd, kube-apiserver, kube-controller-manager and kubectl from Go modules, once, and prints the directory that
# holds them, to be used as KUBEBUILDER_ASSETS. Nothing else goes to standard output; progress goes to standard error.
#
# The result is kept under ${ROSTRA_CACHE_DIR:-${XDG_CACHE_HOME:-~/.cache}/rostra}/controlplane, by a hash of everything
# that shapes it, so every checkout on a machine shares one build.
set -eu

programs='etcd kube-apiserver kube-controller-manager kubectl'
minutes=6 # a first build on two cores, downloads included

say() { printf 'controlplane: %s\n' "$*" >&2; }
die() {
	say "$*"
	exit 1
}

usage() {
	cat >&2 <<'EOF'
Usage: build.sh [--with-controller-manager]

Prints a directory with etcd, kube-apiserver, kube-controller-manager and kubectl, and builds them first if need be.

When KUBEBUILDER_ASSETS is set, that directory is checked and printed, and nothing is built. It must hold etcd,
kube-apiserver and kubectl; with --with-controller-manager also kube-controller-manager.

  ROSTRA_CACHE_DIR   where the result is kept (default: rostra in XDG_CACHE_HOME, or else in ~/.cache)
EOF
}

# missing_in DIRECTORY PROGRAM...: names the programs that the directory does not hold.
missing_in() {
	directory=$1
	shift
	for program in "$@"; do
		if [ ! -f "$directory/$program" ] || [ ! -x "$directory/$program" ]; then printf ' %s' "$program"; fi
	done
}

print_given() {
	wanted='etcd kube-apiserver kubectl'
	if [ -n "$with_controller_manager" ]; then wanted=$programs; fi
	# shellcheck disable=SC2086 # a list of words
	missing=$(missing_in "$KUBEBUILDER_ASSETS" $wanted)
	if [ -n "$missing" ]; then
		die "KUBEBUILDER_ASSETS is $KUBEBUILDER_ASSETS, which lacks:$missing." \
			"Add what is missing, or unset KUBEBUILDER_ASSETS to have all of it built."
	fi
	printf '%s\n' "$KUBEBUILDER_ASSETS"
}

digest() {
	if command -v sha256sum >/dev/null 2>&1; then
		sha256sum
	else
		shasum -a 256 # macOS
	fi
}

# cache_key names the result by the Kubernetes version, the platform, and a hash of the sources and the toolchain.
cache_key() {
	hash=$({
		go env GOVERSION GOOS GOARCH GOAMD64 GOARM64 GOEXPERIMENT GOFLAGS
		cat go.mod go.sum build.sh
		for source in *.go; do
			case $source in
			*_test.go) ;;
			*) cat "$source" ;;
			esac
		done
	} | digest | cut -c1-16)
	printf '%s-%s-%s-%s' "$version" "$GOOS" "$GOARCH" "$hash"
}

is_complete() {
	# shellcheck disable=SC2086 # a list of words
	[ -z "$(missing_in "$result" $programs)" ]
}

elapsed() {
	seconds=$(($(date +%s) - started))
	printf '%dm%02ds' $((seconds / 60)) $((seconds % 60))
}

# The lock only spares a second build of the same thing: what makes two builds at once safe is that each works in a
# directory of its own and publishes it with one rename. So a lock whose holder is gone may simply be taken away.
take_lock() {
	told=
	until mkdir "$lock" 2>/dev/null; do
		if is_abandoned; then
			mv "$lock" "$work/abandoned-lock" 2>/dev/null && rm -rf "$work/abandoned-lock"
			continue
		fi
		if [ -z "$told" ]; then
			say "another process is building the same programs ($(cat "$lock/holder" 2>/dev/null || echo unknown)); waiting for it"
			told=yes
		fi
		sleep 1
		if is_complete; then return; fi
	done
	printf '%s\n' "$me" >"$lock/holder"
}

# is_abandoned is true when the holder was a process of this host that is gone, or when nobody has touched the lock for
# more than a minute, which a living holder does every second.
is_abandoned() {
	holder=$(cat "$lock/holder" 2>/dev/null) || holder=
	case $holder in
	"$(uname -n) "*) if ! kill -0 "${holder##* }" 2>/dev/null; then return 0; fi ;;
	esac
	[ -n "$(find "$lock" -prune -mmin +1 2>/dev/null)" ]
}

clean_up() {
	if [ -n "$child" ]; then kill "$child" 2>/dev/null || true; fi
	if [ "$(cat "$lock/holder" 2>/dev/null)" = "$me" ]; then rm -rf "$lock"; fi
	rm -rf "$work"
}

# show TEXT: the state of things: in place on a terminal, a line every 15 seconds elsewhere.
show() {
	if [ -t 2 ]; then
		printf '\r\033[Kcontrolplane: %s: %s' "$(elapsed)" "$1" >&2
	elif [ $((ticks % 15)) -eq 0 ]; then
		say "$(elapsed): $1"
	fi
}

# attend FUNCTION: waits for the child, keeps the lock fresh, and shows what the function prints. A child that fails ends
# the script with the words of its log that matter.
attend() {
	ticks=0
	while kill -0 "$child" 2>/dev/null; do
		sleep 1
		ticks=$((ticks + 1))
		touch "$lock" 2>/dev/null || true
		show "$("$1")"
	done
	if [ -t 2 ]; then printf '\r\033[K' >&2; fi
	finished=$child child=
	if ! wait "$finished"; then
		# Lines without a space are the names of compiled packages.
		grep ' ' "$work/log" | grep -v '^go: downloading ' | tail -n 20 >&2 || true
		die "the build failed after $(elapsed); the last lines above say why"
	fi
}

fetched() { printf '%s modules fetched' "$(grep -c '^go: downloading ' "$work/log")"; }

compiled() {
	# At most: packages that the Go build cache holds already are not named.
	printf '%s of at most %s packages compiled' "$(grep -cv ' ' "$work/log")" "$packages"
}

build() {
	component=k8s.io/component-base/version
	client=k8s.io/client-go/pkg/version
	release=${version#v}
	major=${release%%.*}
	minor=${release#*.}
	minor=${minor%%.*}
	flags="-s -w"
	# Without a version that it can parse, kubectl refuses to compare itself with the server.
	flags="$flags -X $component.gitVersion=$version -X $component.gitMajor=$major -X $component.gitMinor=$minor"
	flags="$flags -X $component.gitCommit=unknown -X $component.gitTreeState=archive"
	flags="$flags -X $client.gitVersion=$version -X $client.gitMajor=$major -X $client.gitMinor=$minor"
	flags="$flags -X $client.gitCommit=unknown -X $client.gitTreeState=archive"

	go list -deps . >"$work/packages" 2>"$work/log" &
	child=$!
	attend fetched
	packages=$(($(wc -l <"$work/packages")))

	mkdir "$work/bin"
	go build -v -trimpath -buildvcs=false -ldflags "$flags" -o "$work/bin/controlplane" . 2>"$work/log" &
	child=$!
	attend compiled
	for program in $programs; do ln -s controlplane "$work/bin/$program"; done
}

publish() {
	if is_complete; then return; fi # somebody else was faster, with the same result
	rm -rf "$result"
	mv "$work/bin" "$result"
	is_complete || die "$result is not complete although the build succeeded; remove it and try again"
}

# forget_old removes results that nobody has used for a month, and what killed builds have left.
forget_old() {
	find "$cache/." ! -name . -prune -type d -mtime +30 -exec rm -rf {} + || true
	find "$cache/." ! -name . -prune -type d -name '.building.*' -mtime +1 -exec rm -rf {} + || true
}

with_controller_manager=
for argument in "$@"; do
	case $argument in
	--with-controller-manager) with_controller_manager=yes ;;
	-h | --help)
		usage
		exit 0
		;;
	*)
		usage
		exit 2
		;;
	esac
done

if [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
	print_given
	exit 0
fi

command -v go >/dev/null 2>&1 || die "the go command was not found. Install Go, or set KUBEBUILDER_ASSETS" \
	"to a directory that holds etcd, kube-apiserver and kubectl."

cd -- "$(dirname -- "$0")"
GOWORK=off CGO_ENABLED=0
export GOWORK CGO_ENABLED
# The programs run here, whatever the caller is building for.
GOOS=$(go env GOHOSTOS) GOARCH=$(go env GOHOSTARCH)
export GOOS GOARCH
version=$(sed -n 's,^[[:space:]]*k8s\.io/kubernetes \(v[0-9.]*\)$,\1,p' go.mod)
[ -n "$version" ] || die "go.mod does not name a release of k8s.io/kubernetes"

cache=${ROSTRA_CACHE_DIR:-${XDG_CACHE_HOME:-${HOME:?set HOME or ROSTRA_CACHE_DIR}/.cache}/rostra}/controlplane
mkdir -p "$cache"
cache=$(cd -- "$cache" && pwd -P)
result=$cache/$(cache_key)
if ! is_complete; then
	[ -w "$cache" ] || die "$cache cannot be written to; set ROSTRA_CACHE_DIR to a directory that can"
	started=$(date +%s)
	me="$(uname -n) $$"
	lock=$result.lock
	child=
	work=$(mktemp -d "$cache/.building.XXXXXX")
	trap clean_up EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	take_lock
	if ! is_complete; then
		say "building etcd, kube-apiserver, kube-controller-manager and kubectl (Kubernetes $version) from Go modules"
		say "the first time takes about $minutes minutes on two idle cores; later runs take no time"
		build
		publish
		forget_old
		say "ready after $(elapsed): $result"
	fi
fi
touch "$result" 2>/dev/null || true # so that forget_old sees it is in use
printf '%s\n' "$result"
