// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"strings"
)

// hunkContext is how many unchanged lines a hunk shows on either side.
const hunkContext = 3

// write puts a new file into the company's repository.
func (w *workspace) write(name, content string) error {
	if err := w.files.WriteFile(company+"/"+name, []byte(content), 0o600); err != nil {
		return fmt.Errorf("write a manifest: %w", err)
	}
	return nil
}

// edit changes one line of a file in the company's repository, or removes it where the new line is empty, and gives the
// change as git shows it. A new text that begins with the old line adds what follows it.
func (w *workspace) edit(name, oldLine, newLine string) (string, error) {
	content, err := w.files.ReadFile(company + "/" + name)
	if err != nil {
		return "", fmt.Errorf("edit a manifest: %w", err)
	}
	changed, hunk, err := changeLine(string(content), oldLine, newLine)
	if err != nil {
		return "", fmt.Errorf("edit %s: %w", name, err)
	}
	if err := w.write(name, changed); err != nil {
		return "", err
	}
	return fmt.Sprintf("--- a/%s\n+++ b/%s\n%s", name, name, hunk), nil
}

// changeLine changes the one line of a text that reads as the old one, and gives the text and the hunk of a unified diff.
func changeLine(text, oldLine, newLine string) (changed, hunk string, err error) {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	at := -1
	for i, line := range lines {
		if line != oldLine {
			continue
		}
		if at >= 0 {
			return "", "", fmt.Errorf("lines %d and %d both read %q", at+1, i+1, oldLine)
		}
		at = i
	}
	if at < 0 {
		return "", "", fmt.Errorf("no line reads %q", oldLine)
	}
	end := at + 1
	var added []string
	switch rest, keeps := strings.CutPrefix(newLine, oldLine+"\n"); {
	case keeps:
		at, added = at+1, strings.Split(rest, "\n")
	case newLine != "":
		added = strings.Split(newLine, "\n")
	}
	before, removed, after := lines[max(0, at-hunkContext):at], lines[at:end], lines[end:min(len(lines), end+hunkContext)]
	unchanged := len(before) + len(after)
	first := at - len(before) + 1

	var diff strings.Builder
	fmt.Fprintf(&diff, "@@ -%d,%d +%d,%d @@\n", first, unchanged+len(removed), first, unchanged+len(added))
	writeLines(&diff, " ", before)
	writeLines(&diff, "-", removed)
	writeLines(&diff, "+", added)
	writeLines(&diff, " ", after)

	return strings.Join(slices.Concat(lines[:at], added, lines[end:]), "\n") + "\n", diff.String(), nil
}

func writeLines(to *strings.Builder, prefix string, lines []string) {
	for _, line := range lines {
		to.WriteString(prefix + line + "\n")
	}
}
