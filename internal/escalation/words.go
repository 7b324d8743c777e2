// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package escalation

import (
	"fmt"
	"strings"
	"time"
)

// Words are a round as people read it: "now: maria → (15m) manager maria →
// (30m) at last manager ines". What is in front in brackets is the time since
// the telling before. A step that is left out is named where it would come:
// "now: (rota care: nobody) manager maria".
func (r Round) Words() string {
	var said strings.Builder
	said.WriteString("now: ")
	told, since, left := false, time.Duration(0), ""
	say := func(after time.Duration, what string) {
		if told {
			said.WriteString(" → (" + LengthWords(after-since) + ") ")
		}
		said.WriteString(left + what)
		told, since, left = true, after, ""
	}
	for _, s := range r.Steps {
		if s.Skipped {
			left += s.leftOut() + " "
			continue
		}
		say(s.After, s.Heard())
	}
	if r.Repeat > 0 && r.Length > 0 {
		say(r.Length, "all again"+times(r.Repeat))
	}
	if r.Fallback.Skipped {
		say(r.Fallback.After, "at last "+r.Fallback.leftOut())
	} else {
		say(r.Fallback.After, "at last "+r.Fallback.Heard())
	}
	return said.String()
}

func times(count int) string {
	if count == 1 {
		return ""
	}
	return fmt.Sprintf(", %d times", count)
}

// leftOut names a step that nobody hears.
func (s Step) leftOut() string {
	who := "nobody"
	if len(s.Unreachable) > 0 {
		who += " who can be told"
	}
	return "(" + strings.Join(s.Targets, ", ") + ": " + who + ")"
}

// Heard names those who are told: "maria, manager ines"; empty for nobody.
func (s Step) Heard() string { return HearersWords(s.People) }

// HearersWords names those who are told: "maria, manager ines".
func HearersWords(people []Hearer) string {
	names := make([]string, 0, len(people))
	for _, hearer := range people {
		name := hearer.Name
		if hearer.Manager {
			name = "manager " + name
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

// LengthWords writes a length of time without what is zero: 15m, 1h30m.
func LengthWords(length time.Duration) string {
	text := length.Truncate(time.Second).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
