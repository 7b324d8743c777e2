// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// printTable prints rows of cells, of which the first are the headings, in
// columns and with no blanks at the ends of lines.
func printTable(out io.Writer, rows [][]string) error {
	var table strings.Builder
	writer := tabwriter.NewWriter(&table, 0, 0, 3, ' ', 0)
	for _, cells := range rows {
		_, _ = fmt.Fprintln(writer, strings.Join(cells, "\t")) // to memory; Flush tells
	}
	if err := writer.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(table.String()) {
		if _, err := fmt.Fprintln(out, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}
