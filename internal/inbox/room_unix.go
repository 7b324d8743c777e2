// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin || freebsd

package inbox

import "golang.org/x/sys/unix"

// roomUnder gives how many bytes may still be written to the disk under a folder,
// none where it has no room for more files; known tells whether that can be told.
func roomUnder(dir string) (bytes uint64, known bool) {
	var stat unix.Statfs_t
	if err := unix.Statfs(dir, &stat); err != nil {
		return 0, false
	}
	if stat.Files > 0 && stat.Ffree == 0 {
		return 0, true
	}
	return uint64(max(stat.Bavail, 0)) * uint64(stat.Bsize), true //nolint:gosec,unconvert // types and signs differ between systems
}
