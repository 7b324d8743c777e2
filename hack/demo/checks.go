// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"strings"
)

// checks are what the demo expected, and what came of it.
type checks struct {
	console *console
	made    []check
}

type check struct {
	expectation string
	failure     error
}

// expect prints and keeps an expectation. It held if there is no error.
func (c *checks) expect(expectation string, failure error) {
	made := check{expectation: expectation, failure: failure}
	c.made = append(c.made, made)
	c.console.print("   " + c.line(made) + "\n")
	if failure != nil {
		c.console.print("     " + strings.ReplaceAll(failure.Error(), "\n", "\n     ") + "\n")
	}
}

func (c *checks) line(made check) string {
	if made.failure != nil {
		return c.console.paint(red, "✗ "+made.expectation)
	}
	return c.console.paint(green, "✓") + " " + made.expectation
}

// held tells whether there were expectations and all of them held.
func (c *checks) held() bool { return len(c.made) > 0 && c.failed() == 0 }

func (c *checks) failed() int {
	failed := 0
	for _, made := range c.made {
		if made.failure != nil {
			failed++
		}
	}
	return failed
}

// table prints all expectations.
func (c *checks) table() {
	var lines strings.Builder
	for _, made := range c.made {
		lines.WriteString("   " + c.line(made) + "\n")
	}
	c.console.print(lines.String())
	verdict := c.console.paint(green, fmt.Sprintf("all %d expectations held", len(c.made)))
	if !c.held() {
		verdict = c.console.paint(red, fmt.Sprintf("%d of %d expectations did not hold", c.failed(), len(c.made)))
	}
	c.console.print(fmt.Sprintf("\n   %s, in %s\n", verdict, short(c.console.elapsed())))
}

// differs is an error that says what was found instead, or nil if it is what was wanted.
func differs[T comparable](what string, found, wanted T) error {
	if found == wanted {
		return nil
	}
	return fmt.Errorf("%s is %v, not %v", what, found, wanted)
}

// missing is an error that names what a text lacks, or nil.
func missing(where, text string, wanted ...string) error {
	var errs []error
	for _, want := range wanted {
		if !strings.Contains(text, want) {
			errs = append(errs, fmt.Errorf("%q is not in %s", want, where))
		}
	}
	return errors.Join(errs...)
}
