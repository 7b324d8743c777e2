// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package good

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
)

const limit = 1 << 20

func direct(source io.Reader) ([]byte, error) { return io.ReadAll(io.LimitReader(source, limit)) }

func variable(source io.Reader) ([]byte, error) {
	limited := io.LimitReader(source, limit)
	return io.ReadAll(limited)
}

func request(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, limit)
	var event struct{}
	return json.NewDecoder(r.Body).Decode(&event)
}

func memory(content []byte) error {
	var event struct{}
	if err := json.NewDecoder(bytes.NewReader(content)).Decode(&event); err != nil {
		return err
	}
	_, err := io.ReadAll(strings.NewReader("here"))
	return err
}

func stream(w io.Writer, source io.Reader) error {
	_, err := io.Copy(w, source)
	return err
}
