// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package bad

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
)

func everything(source io.Reader) ([]byte, error) {
	return io.ReadAll(source) // want `source is read without a limit`
}

func request(_ http.ResponseWriter, r *http.Request) error {
	var event struct{}
	return json.NewDecoder(r.Body).Decode(&event) // want `r.Body is read without a limit`
}

func response(response *http.Response) (string, error) {
	var buffer bytes.Buffer
	if _, err := buffer.ReadFrom(response.Body); err != nil { // want `response.Body is read without a limit`
		return "", err
	}
	if _, err := io.Copy(&buffer, response.Body); err != nil { // want `response.Body is read without a limit`
		return "", err
	}
	return bufio.NewReader(response.Body).ReadString('x') // want `response.Body is read without a limit`
}
