// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

// Colours, as a terminal takes them.
const (
	plain = "\x1b[0m"
	bold  = "\x1b[1m"
	dim   = "\x1b[2m"
	red   = "\x1b[31m"
	green = "\x1b[32m"
	cyan  = "\x1b[36m"
)

// console prints what the demo does, and remembers it, so that it can be searched for secrets in the end. Its methods may
// be called from several goroutines at once.
type console struct {
	mu      sync.Mutex
	to      io.Writer
	colours bool
	printed bytes.Buffer
	began   time.Time
	chapter int
}

// newConsole prints to a file, in colour only if it is a terminal that wants it.
func newConsole(to *os.File) *console {
	wanted := os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return &console{to: to, colours: wanted && term.IsTerminal(int(to.Fd())), began: time.Now()}
}

// Write implements io.Writer.
func (c *console) Write(text []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.printed.Write(text)
	return c.to.Write(text)
}

// transcript is everything that was printed.
func (c *console) transcript() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.printed.String()
}

func (c *console) elapsed() time.Duration { return time.Since(c.began) }

// paint colours a text, where there are colours.
func (c *console) paint(colour, text string) string {
	if !c.colours || text == "" {
		return text
	}
	return colour + text + plain
}

// print writes whole lines; whoever reads the demo's output having gone is seen when the demo ends.
func (c *console) print(lines string) { _, _ = io.WriteString(c, lines) }

// begin starts a chapter.
func (c *console) begin(title string) {
	c.chapter++
	c.print("\n" + c.paint(bold, fmt.Sprintf("%d. %s", c.chapter, title)) + c.paint(dim, fmt.Sprintf("  (after %s)", short(c.elapsed()))) + "\n")
}

// sayf prints a paragraph.
func (c *console) sayf(format string, values ...any) {
	c.print("\n" + fmt.Sprintf(format, values...) + "\n")
}

// notef prints a line of less weight.
func (c *console) notef(format string, values ...any) {
	c.print(c.paint(dim, "   "+fmt.Sprintf(format, values...)) + "\n")
}

// command prints a command line as a user would type it.
func (c *console) command(line string) {
	c.print("\n" + c.paint(bold, "$ "+line) + "\n")
}

// change prints a hunk of a diff, as git does.
func (c *console) change(hunk string) {
	var painted strings.Builder
	painted.WriteString("\n")
	for line := range strings.Lines(hunk) {
		text := strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(text, "+++"), strings.HasPrefix(text, "---"):
			text = c.paint(bold, text)
		case strings.HasPrefix(text, "+"):
			text = c.paint(green, text)
		case strings.HasPrefix(text, "-"):
			text = c.paint(red, text)
		case strings.HasPrefix(text, "@@"):
			text = c.paint(cyan, text)
		}
		painted.WriteString(text + "\n")
	}
	c.print(painted.String())
}

// progress gives a writer whose lines are printed as notes under a name, without the one that they begin with themselves.
func (c *console) progress(name, itself string) io.Writer {
	return &progress{console: c, name: name, itself: itself + ": "}
}

// progress prints whole lines; what comes after the last line break waits for the next. It is for one writer at a time.
type progress struct {
	console *console
	name    string
	itself  string
	pending []byte
}

// Write implements io.Writer.
func (p *progress) Write(text []byte) (int, error) {
	p.pending = append(p.pending, text...)
	for {
		line, rest, whole := bytes.Cut(p.pending, []byte{'\n'})
		if !whole {
			return len(text), nil
		}
		p.console.notef("%-11s %s", p.name, strings.TrimPrefix(strings.TrimSpace(string(line)), p.itself))
		p.pending = rest
	}
}

// short is a duration for people.
func short(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return d.Round(time.Second).String()
}
