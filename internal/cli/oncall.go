// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/internal/calendar"
	"github.com/rostra-dev/rostra/internal/rota"
)

// Formats of output.
const (
	formatTable    = "table"
	formatHeatMap  = "heatmap"
	formatJSON     = "json"
	formatCalendar = "ics"
)

// onCall is one question of who is on duty.
type onCall struct {
	source   sourceFlags
	now      time.Time
	at       string
	from     string
	span     string
	format   *choice
	rotaName objectName
	schedule *rota.Schedule
}

func newOnCallCommand(clk clock.PassiveClock) *cobra.Command {
	o := &onCall{}
	cmd := &cobra.Command{
		Use:   "oncall [NAMESPACE/]ROTA",
		Short: "Say who is on duty, and when",
		Long: "Say who is on duty by a ResponderRota: in the next seven days, in another interval (--from, --for), or at a\n" +
			"time (--at). It reads the cluster, or with -f manifests, without a cluster.\n\n" +
			"Times are RFC 3339 such as 2026-11-27T18:00:00Z, or 2026-11-27T18:00 or 2026-11-27 by the clock on the wall in\n" +
			"the rota's zone, or now. Lengths are such as 90m, 36h, 14d or 2w; a day is 24 hours.",
		Example: "  rostra oncall -f manifests/ social/care --from 2026-11-27 --for 3d\n" +
			"  rostra oncall social/care --at now -o json\n" +
			"  rostra oncall -f manifests/ care --for 26w -o ics > care.ics",
		Args: exactlyOne("ResponderRota"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.now = clk.Now()
			return o.run(cmd, args[0])
		},
	}
	o.source.add(cmd.Flags())
	cmd.Flags().StringVar(&o.at, "at", "", "say who is on duty at this time, since when and until when")
	cmd.Flags().StringVar(&o.from, "from", "now", "beginning of the interval")
	cmd.Flags().StringVar(&o.span, "for", "7d", "length of the interval, from 1s to 366d")
	o.format = addChoice(cmd, "output", "o", "format of the output", formatTable, formatJSON, formatCalendar)
	return cmd
}

func (o *onCall) run(cmd *cobra.Command, asked string) error {
	if cmd.Flags().Changed("at") && (cmd.Flags().Changed("from") || cmd.Flags().Changed("for")) {
		return usagef("--at asks about one time, --from and --for about an interval: leave one of them out")
	}
	name, err := parseName(asked, "ResponderRota", o.source.namespace)
	if err != nil {
		return err
	}
	objects, err := o.source.open(cmd)
	if err != nil {
		return err
	}
	found, inventory, err := objects.rota(cmd.Context(), name)
	if err != nil {
		return err
	}
	o.rotaName = objectName{found.Namespace, found.Name}
	var problems []rota.Problem
	o.schedule, problems = inventory.schedule(found)
	if err := unknownZone(problems); err != nil {
		return fmt.Errorf("ResponderRota %s: %w", o.rotaName, err)
	}
	warn(cmd.ErrOrStderr(), "ResponderRota "+o.rotaName.String(), problems)
	flag, text := "from", o.from
	if cmd.Flags().Changed("at") {
		flag, text = "at", o.at
	}
	begins, err := parseTime(text, flag, o.schedule.Location(), o.now)
	if err != nil {
		return err
	}
	o.warnOverrides(cmd.ErrOrStderr(), inventory, begins)
	if flag == "at" {
		return o.answerAt(cmd.OutOrStdout(), begins)
	}
	return o.answerInterval(cmd.OutOrStdout(), begins)
}

// warnOverrides tells of overrides of the rota that do nothing, seen from a
// time.
func (o *onCall) warnOverrides(out io.Writer, objects *inventory, at time.Time) {
	for i := range objects.overrides {
		override := &objects.overrides[i]
		if override.Namespace != o.rotaName.namespace || override.Spec.ResponderRotaRef.Name != o.rotaName.name {
			continue
		}
		if problem := rota.OverrideProblem(override, objects.team, at); problem != nil {
			warn(out, "RotaOverride "+objectName{override.Namespace, override.Name}.String(), []rota.Problem{*problem})
		}
	}
}

// answerAt says who is on duty at a time, since when and until when.
func (o *onCall) answerAt(out io.Writer, at time.Time) error {
	segment := o.schedule.Current(at)
	return o.print(out, []rota.Segment{segment}, at.Add(-rota.Horizon), at.Add(rota.Horizon))
}

// answerInterval says who is on duty in an interval.
func (o *onCall) answerInterval(out io.Writer, from time.Time) error {
	span, err := parseSpan(o.span)
	if err != nil {
		return err
	}
	until := from.Add(span)
	segments := o.schedule.Segments(from, until)
	if o.format.value == formatCalendar {
		o.makeWhole(segments)
	}
	return o.print(out, segments, from, until)
}

// makeWhole gives the first and the last duty their own beginning and end
// instead of the interval's, so that they are the same event in each export.
func (o *onCall) makeWhole(segments []rota.Segment) {
	if len(segments) == 0 {
		return
	}
	first, last := &segments[0], &segments[len(segments)-1]
	begins, ends := o.schedule.Current(first.From).From, o.schedule.Current(last.From).Until
	first.From, last.Until = begins, ends
}

func (o *onCall) print(out io.Writer, segments []rota.Segment, from, until time.Time) error {
	switch o.format.value {
	case formatJSON:
		return printSegmentsJSON(out, segments, o.schedule.Location())
	case formatCalendar:
		content, err := calendar.Calendar{
			ID: o.rotaName.String(), Name: "On call: " + o.rotaName.String(), Zone: o.schedule.Location(),
			Stamp: o.now, From: from, Until: until,
		}.Marshal(segments)
		if err != nil {
			return err
		}
		_, err = out.Write(content)
		return err
	}
	return o.printTable(out, segments)
}

// segmentJSON is a segment as programs read it. A bound that is too far away to
// be known is left out.
type segmentJSON struct {
	From   string `json:"from,omitempty"`
	Until  string `json:"until,omitempty"`
	Member string `json:"member"`
	Team   string `json:"team"`
	Layer  string `json:"layer"`
}

func printSegmentsJSON(out io.Writer, segments []rota.Segment, zone *time.Location) error {
	list := make([]segmentJSON, 0, len(segments))
	for _, segment := range segments {
		list = append(list, segmentJSON{
			From: formatRFC3339(segment.From, zone), Until: formatRFC3339(segment.Until, zone),
			Member: segment.Member, Team: segment.Team, Layer: segment.Layer,
		})
	}
	return printJSON(out, list)
}

func formatRFC3339(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	return t.In(zone).Format(time.RFC3339)
}

func printJSON(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

func (o *onCall) printTable(out io.Writer, segments []rota.Segment) error {
	rows := [][]string{{"FROM", "UNTIL", "MEMBER", "TEAM", "LAYER", ""}}
	for _, segment := range segments {
		member, team, layer, mark := segment.Member, segment.Team, segment.Layer, ""
		if segment.Nobody() {
			member, team, layer = "nobody", "-", "-"
		}
		if o.isNow(segment) {
			mark = "<- now"
		}
		rows = append(rows, []string{
			o.bound(segment.From, "over a year ago"), o.bound(segment.Until, "not within a year"), member, team, layer, mark,
		})
	}
	return printTable(out, rows)
}

func (o *onCall) isNow(segment rota.Segment) bool {
	return !o.now.Before(segment.From) && (segment.Until.IsZero() || o.now.Before(segment.Until))
}

// bound writes a time by the clock on the wall, with seconds where there are
// any.
func (o *onCall) bound(t time.Time, unknown string) string {
	if t.IsZero() {
		return unknown
	}
	layout := "Mon 2006-01-02 15:04 MST"
	if t.Second() != 0 {
		layout = "Mon 2006-01-02 15:04:05 MST"
	}
	return t.In(o.schedule.Location()).Format(layout)
}

// warn tells what cannot be read as it stands, beside the answer.
func warn(out io.Writer, whose string, problems []rota.Problem) {
	for _, problem := range problems {
		_, _ = fmt.Fprintf(out, "warning: %s: %s\n", whose, problem.Message) // the answer does not depend on it
	}
}
