// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package inbox

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// lock takes a folder's lock file for this process. The kernel gives it free
// when the process ends, however it ends.
func lock(dir string) (*os.File, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	file, err := root.OpenFile("lock", os.O_CREATE|os.O_RDWR, 0o600)
	_ = root.Close()
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		return file, nil
	}
	_ = file.Close()
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, errors.New("another process uses it; stop that one, or give this one a folder of its own")
	}
	return nil, fmt.Errorf("locking %s: %w", file.Name(), err)
}
