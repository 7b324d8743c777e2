// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package good

func inTest(token, want string) bool { return token == want }
