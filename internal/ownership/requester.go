// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package ownership

import (
	"encoding/json"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// maxRequester bounds the name of a field manager; see the schema.
const maxRequester = 128

// Requester is the field manager that set spec.ownerRef.name last, by the API
// server's own record of who manages which field; empty where that does not
// say. See the Kubernetes documentation on field management.
func Requester(fields []metav1.ManagedFieldsEntry) string {
	var name string
	var latest time.Time
	for _, entry := range fields {
		if entry.Subresource != "" || entry.FieldsV1 == nil || !ownsOwner(entry.FieldsV1.GetRawBytes()) {
			continue
		}
		if entry.Time == nil || name != "" && !entry.Time.After(latest) {
			continue
		}
		name, latest = entry.Manager, entry.Time.Time
	}
	return name[:min(len(name), maxRequester)]
}

// ownsOwner tells whether spec.ownerRef.name is in a set of fields.
func ownsOwner(fields []byte) bool {
	var set struct {
		Spec struct {
			OwnerRef struct {
				Name *json.RawMessage `json:"f:name"`
			} `json:"f:ownerRef"`
		} `json:"f:spec"`
	}
	return json.Unmarshal(fields, &set) == nil && set.Spec.OwnerRef.Name != nil
}
