// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/rota"
)

// gapsNamed is how many gaps are told in words.
const gapsNamed = 20

func (c *coverage) print(out io.Writer, results []kept) error {
	if c.format.value == formatJSON {
		return printCoverageJSON(out, results)
	}
	if len(results) == 0 {
		_, err := fmt.Fprintln(out, "There is no SocialChannel here.")
		return err
	}
	var text strings.Builder
	for i := range results {
		if i > 0 {
			text.WriteByte('\n')
		}
		c.describe(&text, &results[i], c.coloured(out))
	}
	_, err := io.WriteString(out, text.String())
	return err
}

// describe draws one channel.
func (c *coverage) describe(text *strings.Builder, result *kept, colour bool) {
	if !result.assessed {
		fmt.Fprintf(text, "%s %s.\n", result.channel, result.remark)
		return
	}
	fmt.Fprintf(text, "%s promises %s", result.channel, modeWords(result.mode))
	if result.remark == "" {
		fmt.Fprintf(text, "; rota %s answers", result.rota)
	}
	fmt.Fprintf(text, ". Times are in %s.\n", result.zone)
	if result.remark != "" {
		fmt.Fprintf(text, "It %s.\n", result.remark)
	}
	text.WriteByte('\n')
	drawHeat(text, heatDays(result.zone, result.from, result.until, result.promised, result.gaps), colour)
	fmt.Fprintf(text, "\n%d%% covered", result.percent)
	if len(result.gaps) == 0 {
		text.WriteString(": somebody is on duty at every promised hour.\n")
		return
	}
	fmt.Fprintf(text, "; nobody is on duty for %s a week of the promised hours:\n", lengthWords(result.weekly))
	for _, gap := range result.whole[:min(len(result.whole), gapsNamed)] {
		fmt.Fprintf(text, "  %s\n", rota.Words(gap, result.zone, c.now))
	}
	if more := len(result.whole) - gapsNamed; more > 0 {
		fmt.Fprintf(text, "  and %d more: -o json lists all\n", more)
	}
}

func modeWords(mode v1alpha1.CoverageMode) string {
	if mode == v1alpha1.CoverageAlways {
		return "all hours"
	}
	return "the hours of its windows"
}

// lengthWords writes a length of time in hours, and minutes and seconds where
// there are any.
func lengthWords(length time.Duration) string {
	hours, minutes, seconds := length/time.Hour, length%time.Hour/time.Minute, length%time.Minute/time.Second
	words := fmt.Sprintf("%dh", hours)
	if minutes > 0 || seconds > 0 {
		words += fmt.Sprintf(" %dm", minutes)
	}
	if seconds > 0 {
		words += fmt.Sprintf(" %ds", seconds)
	}
	return words
}

// coverageJSON is a channel's coverage as programs read it. Without a promise,
// percent and uncoveredPerWeek are null.
type coverageJSON struct {
	Channel          string           `json:"channel"`
	Rota             string           `json:"rota"`
	TimeZone         string           `json:"timeZone"`
	Mode             string           `json:"mode"`
	Percent          *int64           `json:"percent"`
	UncoveredPerWeek *metav1.Duration `json:"uncoveredPerWeek"`
	Gaps             []gapJSON        `json:"gaps"`
	Remark           string           `json:"remark,omitempty"`
}

type gapJSON struct {
	Start string `json:"start"`
	End   string `json:"end"`
}

func printCoverageJSON(out io.Writer, results []kept) error {
	list := make([]coverageJSON, 0, len(results))
	for i := range results {
		result := &results[i]
		entry := coverageJSON{
			Channel: result.channel.String(), Rota: result.rota, TimeZone: result.zone.String(), Mode: string(result.mode),
			Gaps: make([]gapJSON, 0, len(result.gaps)), Remark: result.remark,
		}
		if result.assessed {
			entry.Percent, entry.UncoveredPerWeek = &result.percent, &metav1.Duration{Duration: result.weekly}
		}
		for _, gap := range result.gaps {
			entry.Gaps = append(entry.Gaps, gapJSON{formatRFC3339(gap.From, result.zone), formatRFC3339(gap.Until, result.zone)})
		}
		list = append(list, entry)
	}
	return printJSON(out, list)
}
