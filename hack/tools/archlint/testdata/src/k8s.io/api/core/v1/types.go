// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package v1 has the shape of the kinds that the rule tells apart.
package v1

type Secret struct{ Name string }

type ConfigMap struct{ Name string }
