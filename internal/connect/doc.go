// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package connect leads a person through a platform's consent.
package connect

import _ "golang.org/x/oauth2"
