// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package notices

import "sigs.k8s.io/controller-runtime/pkg/handler"

// OfChannels brings back the teams that have to do with a change of a channel.
func OfChannels() handler.EventHandler { return gathered(ofChannel) }
