// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// split cuts a file into documents: JSON values one after another, or YAML
// documents.
func split(name string, data []byte) ([][]byte, error) {
	start := bytes.TrimSpace(data)
	isJSON := filepath.Ext(name) == ".json"
	if !isJSON && !bytes.HasPrefix(start, []byte("{")) {
		return splitYAML(data), nil
	}
	documents, err := splitJSON(start)
	if err != nil && !isJSON {
		return splitYAML(data), nil // braces are YAML too
	}
	return documents, err
}

func splitJSON(data []byte) ([][]byte, error) {
	var documents [][]byte
	decoder := json.NewDecoder(bytes.NewReader(data))
	for {
		var document json.RawMessage
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return documents, nil
		}
		if err != nil {
			return nil, fmt.Errorf("this is not JSON: %w", err)
		}
		documents = append(documents, document)
	}
}

// splitYAML cuts at the lines that YAML reserves for it (YAML 1.2.2, section
// 9.1): those that begin with --- or ... and go on with white space, or end
// there. What follows --- on its line belongs to the next document.
func splitYAML(data []byte) [][]byte {
	var documents [][]byte
	var current []byte
	flush := func() {
		if hasContent(current) {
			documents = append(documents, current)
		}
		current = nil
	}
	for line := range bytes.Lines(data) {
		switch {
		case isMarker(line, "---"):
			flush()
			current = append(current, line[len("---"):]...)
		case isMarker(line, "..."):
			flush()
		default:
			current = append(current, line...)
		}
	}
	flush()
	return documents
}

func isMarker(line []byte, marker string) bool {
	rest, found := bytes.CutPrefix(line, []byte(marker))
	return found && (len(rest) == 0 || strings.IndexByte(" \t\r\n", rest[0]) >= 0)
}

// hasContent tells whether a document holds more than comments and directives.
func hasContent(document []byte) bool {
	for line := range bytes.Lines(document) {
		trimmed := bytes.TrimSpace(line)
		if len(trimmed) > 0 && trimmed[0] != '#' && line[0] != '%' {
			return true
		}
	}
	return false
}
