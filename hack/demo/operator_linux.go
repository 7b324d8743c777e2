// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"strings"
)

// memory says how much the operator holds; empty where the system does not tell.
func (o *operator) memory() string {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", o.child.Cmd.Process.Pid))
	if err != nil {
		return ""
	}
	sizes := map[string]int{}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		var kibibytes int
		if _, err := fmt.Sscanf(strings.TrimSpace(value), "%d kB", &kibibytes); err == nil {
			sizes[name] = kibibytes
		}
	}
	return fmt.Sprintf("%d MiB resident, %d MiB at its peak", sizes["VmRSS"]>>10, sizes["VmHWM"]>>10)
}
