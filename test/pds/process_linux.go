// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package pds

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// waitStopped returns when the kernel has stopped every thread of the child.
func waitStopped(process *os.Process) error {
	for {
		err := unix.Waitid(unix.P_PID, process.Pid, nil, unix.WSTOPPED, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("waiting for the server to pause: %w", err)
		}
		return nil
	}
}
