// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package inbox

import (
	"errors"
	"os"
)

// lock refuses: without a lock that ends with the process, two processes could
// ruin each other's store.
func lock(string) (*os.File, error) {
	return nil, errors.New("the embedded inbox needs a Unix system; give the URL of a NATS cluster instead")
}
