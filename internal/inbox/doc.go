// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package inbox keeps events durably.
package inbox

import (
	_ "github.com/nats-io/nats-server/v2/server"
	_ "github.com/nats-io/nats.go"
	_ "github.com/nats-io/nats.go/jetstream"
)
