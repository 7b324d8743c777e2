// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/rota"
)

// coverage is one question of how far promises are kept.
type coverage struct {
	source     sourceFlags
	everywhere bool
	now        time.Time
	from, span string
	failOnGap  bool
	format     *choice
	colour     *choice
	length     time.Duration
}

func newCoverageCommand(clk clock.PassiveClock) *cobra.Command {
	c := &coverage{}
	cmd := &cobra.Command{
		Use:   "coverage [[NAMESPACE/]CHANNEL]",
		Short: "Show the promised hours at which nobody is on duty",
		Long: "Show, for each SocialChannel or for one, the hours that it promises to be watched (spec.coverage) and those at\n" +
			"which nobody of its rota is on duty: hours across, days down, in the channel's zone. It reads the cluster, or\n" +
			"with -f manifests, without a cluster.",
		Example: "  rostra coverage -f manifests/\n" +
			"  rostra coverage -f manifests/ --fail-on-gap    # exit code 3 if there is a gap\n" +
			"  rostra coverage social/acme-help --for 4w",
		Args: atMostOne("SocialChannel"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.now = clk.Now()
			return c.run(cmd, args)
		},
	}
	c.source.add(cmd.Flags())
	cmd.Flags().BoolVarP(&c.everywhere, "all-namespaces", "A", false, "channels of all namespaces; with -f, the default")
	cmd.Flags().StringVar(&c.from, "from", "now", "beginning of the interval")
	cmd.Flags().StringVar(&c.span, "for", "14d", "length of the interval, from 1s to 366d; a day is 24 hours")
	cmd.Flags().BoolVar(&c.failOnGap, "fail-on-gap", false, "exit with code 3 if a promised hour is not covered")
	c.format = addChoice(cmd, "output", "o", "format of the output", formatHeatMap, formatJSON)
	c.colour = addChoice(cmd, "color", "", "colour of the heat map; auto: on a terminal, unless NO_COLOR is set", "auto", "always", "never")
	return cmd
}

func (c *coverage) run(cmd *cobra.Command, args []string) error {
	name, err := c.parse(args)
	if err != nil {
		return err
	}
	objects, err := c.source.open(cmd)
	if err != nil {
		return err
	}
	inventory, err := objects.channels(cmd.Context(), name, c.everywhere)
	if err != nil {
		return err
	}
	results, wrong := c.assessAll(inventory, cmd.ErrOrStderr())
	if err := c.print(cmd.OutOrStdout(), results); err != nil {
		return err
	}
	if wrong != nil {
		return wrong
	}
	return c.verdict(results)
}

func (c *coverage) parse(args []string) (objectName, error) {
	var err error
	if c.length, err = parseSpan(c.span); err != nil {
		return objectName{}, err
	}
	// A time by the clock on the wall is read again in each channel's zone.
	if _, err := parseTime(c.from, "from", time.UTC, c.now); err != nil {
		return objectName{}, err
	}
	if c.everywhere && (c.source.namespace != "" || len(args) > 0) {
		return objectName{}, usagef("--all-namespaces leaves no room for one namespace or one channel: leave one of them out")
	}
	if len(args) == 0 {
		return objectName{namespace: c.source.namespace}, nil
	}
	return parseName(args[0], "SocialChannel", c.source.namespace)
}

// kept is how far the promise of one channel is kept.
type kept struct {
	channel objectName
	rota    string
	mode    v1alpha1.CoverageMode
	zone    *time.Location
	// remark says why there is nothing to assess, or why nobody answers.
	remark string
	// unclear: not all of the promise can be read.
	unclear bool
	// assessed: the channel promises something, and what follows is known.
	assessed    bool
	from, until time.Time
	promised    []rota.Range
	gaps        []rota.Range // within the interval
	whole       []rota.Range // the same gaps, with their own beginning and end
	percent     int64
	weekly      time.Duration
}

// assessAll assesses what it can; the error is of the others.
func (c *coverage) assessAll(objects *inventory, warnings io.Writer) ([]kept, error) {
	var results []kept
	var wrong []error
	warned := map[string]bool{}
	for i := range objects.channels {
		result, err := c.assess(objects, &objects.channels[i], func(whose string, problems []rota.Problem) {
			if !warned[whose] {
				warned[whose] = true // one rota may serve many channels
				warn(warnings, whose, problems)
			}
		})
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		results = append(results, result)
	}
	return results, errors.Join(wrong...)
}

// assess says how far one channel keeps its promise.
func (c *coverage) assess(objects *inventory, channel *v1alpha1.SocialChannel, tell func(string, []rota.Problem)) (kept, error) {
	result := kept{channel: objectName{channel.Namespace, channel.Name}, mode: v1alpha1.CoverageNone, zone: time.UTC}
	schedule, err := c.answering(objects, channel, &result, tell)
	if err != nil {
		return result, err
	}
	promised := channel.Spec.Coverage
	if promised == nil || promised.Mode == v1alpha1.CoverageNone {
		result.remark = "promises no hours (spec.coverage), so there is nothing to cover"
		return result, nil
	}
	result.mode = promised.Mode
	promise, problems := rota.NewPromise(*promised, schedule.Location())
	whose := "SocialChannel " + result.channel.String()
	if err := unknownZone(problems); err != nil {
		return result, fmt.Errorf("%s: %w", whose, err)
	}
	tell(whose, problems)
	if result.unclear = len(problems) > 0; result.unclear && promise.Empty() {
		result.remark = "promises hours that cannot be read (spec.coverage), so nothing is compared"
		return result, nil
	}
	err = c.measure(&result, schedule, promise)
	return result, err
}

// answering gives the schedule of the channel's rota. Without a rota nobody
// answers, which is a schedule too.
func (c *coverage) answering(objects *inventory, channel *v1alpha1.SocialChannel, result *kept, tell func(string, []rota.Problem)) (*rota.Schedule, error) {
	nobody, _ := rota.Prepare(&v1alpha1.ResponderRota{Spec: v1alpha1.ResponderRotaSpec{TimeZone: "UTC"}}, nil, func(string) *v1alpha1.Team { return nil })
	if channel.Spec.ResponderRotaRef == nil {
		result.remark = "names no rota (spec.responderRotaRef), so nobody answers"
		return nobody, nil
	}
	result.rota = channel.Spec.ResponderRotaRef.Name
	name := objectName{channel.Namespace, result.rota}
	found := objects.rotas[name]
	if found == nil {
		result.remark = fmt.Sprintf("names ResponderRota %s, which does not exist, so nobody answers", name)
		return nobody, nil
	}
	schedule, problems := objects.schedule(found)
	whose := "ResponderRota " + name.String()
	if err := unknownZone(problems); err != nil {
		return nil, fmt.Errorf("%s: %w", whose, err)
	}
	tell(whose, problems)
	result.zone = schedule.Location()
	return schedule, nil
}

// measure compares a promise with who is on duty.
func (c *coverage) measure(result *kept, schedule *rota.Schedule, promise *rota.Promise) error {
	result.zone = promise.Location()
	from, err := parseTime(c.from, "from", result.zone, c.now)
	if err != nil {
		return err
	}
	until := from.Add(c.length)
	result.assessed, result.from, result.until = true, from, until
	result.promised = promise.Hours(from, until)
	result.gaps = rota.Gaps(schedule, promise, from, until)
	for _, gap := range rota.Gaps(schedule, promise, from.Add(-14*day), until.Add(14*day)) {
		if gap.Until.After(from) && gap.From.Before(until) {
			result.whole = append(result.whole, gap)
		}
	}
	promised, uncovered := total(result.promised), total(result.gaps)
	result.percent = 100
	if uncovered > 0 {
		result.percent = int64((promised - uncovered) / time.Second * 100 / (promised / time.Second))
	}
	result.weekly = time.Duration(int64(uncovered/time.Second)*int64(7*day/time.Second)/int64(c.length/time.Second)) * time.Second
	return nil
}

func total(ranges []rota.Range) time.Duration {
	var sum time.Duration
	for _, r := range ranges {
		sum += r.Until.Sub(r.From)
	}
	return sum
}

// verdict is the error of gaps, where they are to be one. A promise that cannot
// be read is none that is kept, and neither is no promise at all.
func (c *coverage) verdict(results []kept) error {
	if !c.failOnGap {
		return nil
	}
	if len(results) == 0 {
		return errors.New("there is no SocialChannel here, so nothing was compared: " +
			"give -f the folder that declares them, or name their namespace")
	}
	var failing, unclear []error
	for i := range results {
		if results[i].unclear {
			unclear = append(unclear, fmt.Errorf("%s: what it promises cannot be read as it stands (see the warnings): correct spec.coverage",
				results[i].channel))
		}
		if len(results[i].gaps) > 0 {
			failing = append(failing, fmt.Errorf("%s has promised hours at which nobody is on duty, the first: %s",
				results[i].channel, rota.Words(results[i].whole[0], results[i].zone, c.now)))
		}
	}
	switch {
	case len(unclear) > 0:
		return errors.Join(append(unclear, failing...)...)
	case len(failing) > 0:
		return gapError{errors.Join(failing...)}
	}
	return nil
}

// coloured tells whether the heat map is drawn in colours. See
// https://no-color.org for the variable that people set against them.
func (c *coverage) coloured(out io.Writer) bool {
	switch c.colour.value {
	case "always":
		return true
	case "never":
		return false
	}
	file, ok := out.(*os.File)
	return ok && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(file.Fd()))
}
