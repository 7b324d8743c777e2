// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package rota_test

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/rota"
)

// benchBegin is a Saturday; the 90 days after it hold a change of clocks in
// London.
var benchBegin = time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC)

// benchRota has three layers of ten members each: hours by day with weekly
// turns, hours by night with daily ones, and all hours with weekly turns below.
func benchRota() (*v1alpha1.ResponderRota, []v1alpha1.RotaOverride, rota.Teams) {
	made := &v1alpha1.ResponderRota{}
	made.Namespace, made.Name = "social", "care"
	made.Spec.TimeZone = "Europe/London"
	teams := map[string]*v1alpha1.Team{}
	for i, layer := range []v1alpha1.RotaLayer{
		layerOf("by-day", "care", handingOver("2026-01-05T09:00:00", 1, v1alpha1.HandoffWeek),
			during(hours("09:00", "18:00", workdays...))),
		layerOf("by-night", "press", handingOver("2026-01-05T18:00:00", 1, v1alpha1.HandoffDay),
			during(hours("18:00", "09:00", workdays...))),
		layerOf("always", "managers", handingOver("2026-01-05T00:00:00", 1, v1alpha1.HandoffWeek)),
	} {
		team := &v1alpha1.Team{}
		team.Name = layer.TeamRef.Name
		for j := range 10 {
			team.Spec.Members = append(team.Spec.Members, v1alpha1.TeamMember{Name: fmt.Sprintf("member-%d-%d", i, j)})
		}
		joins, leaves := metav1.NewTime(benchBegin.AddDate(0, 1, 0)), metav1.NewTime(benchBegin.AddDate(0, 2, 0))
		team.Spec.Members[3].From, team.Spec.Members[7].Until = &joins, &leaves
		teams[team.Name] = team
		made.Spec.Layers = append(made.Spec.Layers, layer)
	}
	var overrides []v1alpha1.RotaOverride
	for i := range 5 {
		from := benchBegin.AddDate(0, 0, 15*i)
		made.Spec.Unavailability = append(made.Spec.Unavailability, v1alpha1.Unavailability{
			Member: fmt.Sprintf("member-%d-%d", i%3, i), From: metav1.NewTime(from), Until: metav1.NewTime(from.AddDate(0, 0, 7)),
		})
		override := v1alpha1.RotaOverride{Spec: v1alpha1.RotaOverrideSpec{
			ResponderRotaRef: v1alpha1.LocalReference{Name: "care"}, TeamRef: v1alpha1.ClusterReference{Name: "managers"},
			Member: fmt.Sprintf("member-2-%d", i), From: metav1.NewTime(from.Add(20 * time.Hour)), Until: metav1.NewTime(from.Add(30 * time.Hour)),
		}}
		override.Namespace, override.Name = "social", fmt.Sprintf("swap-%d", i)
		overrides = append(overrides, override)
	}
	return made, overrides, func(name string) *v1alpha1.Team { return teams[name] }
}

func benchSchedule(b *testing.B) *rota.Schedule {
	b.Helper()
	schedule, problems := rota.Prepare(benchRota())
	if len(problems) > 0 {
		b.Fatal(problems)
	}
	return schedule
}

// BenchmarkAt asks at every half hour of 90 days.
func BenchmarkAt(b *testing.B) {
	schedule := benchSchedule(b)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		schedule.At(benchBegin.Add(time.Duration(i%(90*48)) * 30 * time.Minute))
	}
}

func BenchmarkSegments90Days(b *testing.B) {
	schedule := benchSchedule(b)
	until := benchBegin.AddDate(0, 0, 90)
	b.ReportAllocs()
	for b.Loop() {
		schedule.Segments(benchBegin, until)
	}
}

func BenchmarkCurrent(b *testing.B) {
	schedule := benchSchedule(b)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		schedule.Current(benchBegin.Add(time.Duration(i%(90*48)) * 30 * time.Minute))
	}
}

// BenchmarkCurrentOfOne is somebody who takes every turn of an hour alone, for
// all of the time that is looked at.
func BenchmarkCurrentOfOne(b *testing.B) {
	made, _, _ := benchRota()
	made.Spec.Layers = []v1alpha1.RotaLayer{layerOf("hourly", "care", handingOver("2020-01-01T00:00:00", 1, v1alpha1.HandoffHour))}
	made.Spec.Unavailability = nil
	until := metav1.NewTime(benchBegin.AddDate(-3, 0, 0))
	team := &v1alpha1.Team{Spec: v1alpha1.TeamSpec{Members: []v1alpha1.TeamMember{
		{Name: "maria"}, {Name: "dana", Until: &until},
	}}}
	schedule, _ := rota.Prepare(made, nil, func(string) *v1alpha1.Team { return team })
	b.ReportAllocs()
	for b.Loop() {
		schedule.Current(benchBegin)
	}
}

// BenchmarkCurrentOfNobody is a rota as large as they may be, of a team that
// begins after all of the time that is looked at.
func BenchmarkCurrentOfNobody(b *testing.B) {
	made, joins := &v1alpha1.ResponderRota{}, metav1.NewTime(benchBegin.AddDate(4, 0, 0))
	made.Spec.TimeZone = "Europe/London"
	var windows []v1alpha1.WeeklyWindow
	for i := range 32 {
		windows = append(windows, hours(fmt.Sprintf("%02d:%02d", i/2, i%2*30), fmt.Sprintf("%02d:%02d", i/2, i%2*30+15)))
	}
	for i := range 16 {
		made.Spec.Layers = append(made.Spec.Layers, layerOf(fmt.Sprintf("layer-%d", i), "care",
			handingOver("2026-01-05T00:00:00", 1, v1alpha1.HandoffHour), during(windows...)))
	}
	team := &v1alpha1.Team{Spec: v1alpha1.TeamSpec{Members: []v1alpha1.TeamMember{{Name: "maria", From: &joins}, {Name: "dana", From: &joins}}}}
	schedule, _ := rota.Prepare(made, nil, func(string) *v1alpha1.Team { return team })
	b.ReportAllocs()
	for b.Loop() {
		schedule.Current(benchBegin)
	}
}

func BenchmarkPrepare(b *testing.B) {
	made, overrides, teams := benchRota()
	b.ReportAllocs()
	for b.Loop() {
		rota.Prepare(made, overrides, teams)
	}
}

func BenchmarkAssess(b *testing.B) {
	schedule := benchSchedule(b)
	promise := rota.Always(schedule.Location())
	b.ReportAllocs()
	for b.Loop() {
		rota.Assess(schedule, promise, benchBegin)
	}
}
