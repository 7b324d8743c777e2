// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/utils/ptr"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/ownership"
	"github.com/rostra-dev/rostra/internal/rota"
)

const (
	// screenWidth and labelWidth are in characters.
	screenWidth = 80
	labelWidth  = 12
	// How many are told of each: -o json lists all.
	changesTold  = 5
	peopleTold   = 12
	retiringTold = 3
)

// sheet is labelled lines of text, broken between words.
type sheet struct{ text strings.Builder }

// add writes a label and what it says. What is empty is left out.
func (s *sheet) add(label, says string) {
	indent := strings.Repeat(" ", labelWidth)
	line := fmt.Sprintf("%-*s", labelWidth, label)
	used := labelWidth
	for i, word := range strings.Fields(printable(says)) {
		length := utf8.RuneCountInString(word)
		if i > 0 && used+1+length > screenWidth {
			s.text.WriteString(line + "\n")
			line, used = indent, labelWidth
		} else if i > 0 {
			line, used = line+" ", used+1
		}
		line, used = line+word, used+length
	}
	if used > labelWidth {
		s.text.WriteString(line + "\n")
	}
}

// printable makes a text harmless to a terminal: names and messages come from
// platforms too. Spaces of all kinds become plain ones.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, text)
}

// text writes the portrait for people, on one screen.
func (p *portrait) text() string {
	var s sheet
	spec, status := &p.channel.Spec, &p.channel.Status
	s.add("Channel", p.name())
	if p.declaredOnly {
		s.add("Declared", "in "+p.origin+"; this is what the manifests say, not what is in force")
	}
	if p.asOf {
		s.add("As of", wallWords(p.at, p.duty.zone)+", as far as manifests tell: who is in which team, and on duty")
	}
	s.add("Handle", spec.Handle+" on "+spec.PlatformRef.Name+p.drift())
	if account := p.accountJSON(); account != nil {
		s.add("Account", account.ID+bracketed(account.DisplayName))
	}
	s.add("Purpose", spec.Purpose)
	p.sayOwner(&s)
	p.sayDuty(&s)
	p.sayRoute(&s)
	if !p.declaredOnly {
		p.sayCredential(&s)
		p.sayHistory(&s)
		p.sayState(&s)
	} else if ptr.Deref(spec.Suspend, false) {
		s.add("Suspended", suspendedWords)
	}
	if status.LastRevoked != nil && p.now.Before(status.LastRevoked.EffectiveBy.Time) {
		s.add("Cut off", fmt.Sprintf("what was opened with the credential revoked %s (%s) ends by %s",
			recordWords(status.LastRevoked.RevokedAt.Time), status.LastRevoked.Cause, recordWords(status.LastRevoked.EffectiveBy.Time)))
	}
	return s.text.String()
}

const suspendedWords = "spec.suspend is true: Rostra does no work on the channel, but for freezes"

// bracketed writes a further name; nothing where there is none.
func bracketed(text string) string {
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}

// drift tells of a handle that is another at the platform.
func (p *portrait) drift() string {
	account := p.channel.Status.Account
	if account == nil || account.Handle == "" || readHandle(account.Handle).local == readHandle(p.channel.Spec.Handle).local {
		return ""
	}
	return ", where it is now " + account.Handle
}

func (p *portrait) sayOwner(s *sheet) {
	shown := ""
	if p.team != nil {
		shown = bracketed(p.team.Spec.DisplayName)
	}
	owner, declared := p.channel.Status.Owner, p.channel.Spec.OwnerRef.Name
	switch {
	case p.declaredOnly && p.objection == nil:
		s.add("Owner", declared+shown+", as declared; it accepts the channel")
	case p.declaredOnly:
		s.add("Owner", declared+shown+", as declared, but: "+p.objection.Message)
	case owner == "":
		s.add("Owner", "nobody yet")
	default:
		s.add("Owner", owner+shown)
	}
	if !p.declaredOnly && p.objection != nil {
		words := "not in order: " + p.objection.Message
		if owner != declared {
			words = declared + ", not in force: " + p.objection.Message
		}
		s.add("Declared", words)
	}
	p.sayHandover(s)
	if p.team == nil {
		s.add("Manager", fmt.Sprintf("nobody: Team %s does not exist", p.holder))
		return
	}
	s.add("Manager", p.managerWords())
	s.add("Chain", strings.Join(append([]string{p.holder}, p.chain...), " → ")+prefixed(", ", p.chainEnd))
}

func prefixed(with, text string) string {
	if text == "" {
		return ""
	}
	return with + text
}

func (p *portrait) managerWords() string {
	member, active := p.manager()
	switch {
	case member == nil:
		return p.team.Spec.Manager + ", who is not in the team"
	case !active:
		return fmt.Sprintf("%s <%s>, who is no active member", member.Name, member.Email)
	}
	return fmt.Sprintf("%s <%s>", member.Name, member.Email)
}

// sayHandover tells of a hand-over that is not over.
func (p *portrait) sayHandover(s *sheet) {
	handover := p.channel.Status.Handover
	if handover == nil || handover.CompletedAt != nil {
		return
	}
	done := "nothing done yet"
	if last := len(handover.Steps) - 1; last >= 0 {
		done = "got as far as " + string(handover.Steps[last].Name)
	}
	words := fmt.Sprintf("%s → %s since %s, %s", handover.From, handover.To, recordWords(handover.StartedAt.Time), done)
	if ownership.Begun(handover, handover.From, handover.To) {
		words += "; it can still be called off"
	}
	s.add("Hand-over", words)
}

func (p *portrait) sayDuty(s *sheet) {
	segment, next := p.duty.segment, p.duty.next
	switch {
	case p.duty.remark != "":
		s.add("On duty", p.duty.remark)
	case segment.Nobody():
		s.add("On duty", "nobody, by rota "+p.duty.rota)
	default:
		s.add("On duty", fmt.Sprintf("%s (%s), layer %s of rota %s", segment.Member, segment.Team, segment.Layer, p.duty.rota))
	}
	if p.duty.remark == "" {
		words := "for over a year"
		if !segment.Until.IsZero() {
			words = "until " + wallWords(segment.Until, p.duty.zone) + ", then "
			if next.Nobody() {
				words += "nobody"
			} else {
				words += next.Member
			}
		}
		s.add("", words)
	}
	switch gap := p.duty.gap; {
	case gap != nil && !p.at.Before(gap.From):
		s.add("Gap now", rota.Words(*gap, gap.From.Location(), p.at))
	case gap != nil:
		s.add("Next gap", rota.Words(*gap, gap.From.Location(), p.at))
	case p.duty.promised:
		s.add("Next gap", "none in the next 14 days")
	}
}

// sayRoute says who would be told, where the channel names a route.
func (p *portrait) sayRoute(s *sheet) {
	switch {
	case p.route.name == "":
	case p.route.remark != "":
		s.add("Route", p.route.remark)
	default:
		s.add("Route", p.route.name+": "+p.route.words)
	}
}

func (p *portrait) sayCredential(s *sheet) {
	credential := p.channel.Status.Credential
	if credential == nil {
		words := "none is delivered"
		if ready := p.conditionJSON(v1alpha1.ConditionCredentialReady); ready != nil {
			words += ": " + ready.Message
		}
		s.add("Credential", words)
		return
	}
	words := fmt.Sprintf("issued %s (%s ago)", recordWords(credential.IssuedAt.Time), age(p.now, credential.IssuedAt.Time))
	switch due := credential.DueAt; {
	case due == nil:
		words += ", replaced only for a reason"
	case p.now.Before(due.Time):
		words += fmt.Sprintf(", due %s (in %s)", recordWords(due.Time), age(due.Time, p.now))
	default:
		words += fmt.Sprintf(", overdue since %s", recordWords(due.Time))
	}
	if credential.ExpiresAt != nil {
		words += ", expires " + recordWords(credential.ExpiresAt.Time)
	}
	s.add("Credential", words)
	where := secretName(&credential.Secret)
	if credential.Team != p.holder {
		where += ", of team " + credential.Team
	}
	if credential.WithdrawnAt != nil {
		where += "; emptied " + recordWords(credential.WithdrawnAt.Time)
	}
	if credential.RevokedAt != nil {
		where += "; revoked " + recordWords(credential.RevokedAt.Time)
	}
	s.add("Secret", where)
	s.add("Seen by", p.seenWords())
	for i := range p.channel.Status.Retiring[:min(len(p.channel.Status.Retiring), retiringTold)] {
		s.add("Also works", retiringWords(&p.channel.Status.Retiring[i]))
	}
	if more := len(p.channel.Status.Retiring) - retiringTold; more > 0 {
		s.add("", fmt.Sprintf("and %d more: -o json lists all", more))
	}
}

// age is how long it is from one time to a later one, for people.
func age(later, earlier time.Time) string {
	return duration.HumanDuration(max(later.Sub(earlier), 0))
}

// seenWords names who can have seen the credential. A member of another team
// than the holder is named with it.
func (p *portrait) seenWords() string {
	people := make([]string, 0, len(p.exposed))
	for _, person := range p.exposed[:min(len(p.exposed), peopleTold)] {
		words := strings.TrimPrefix(person.member, p.holder+"/")
		if person.left {
			words += " (left)"
		}
		people = append(people, words)
	}
	if more := len(p.exposed) - peopleTold; more > 0 {
		people = append(people, fmt.Sprintf("and %d more", more))
	}
	if len(people) == 0 {
		return "nobody on record"
	}
	return strings.Join(people, ", ")
}

func retiringWords(old *v1alpha1.RetiringCredential) string {
	words := fmt.Sprintf("a replaced credential (%s), to be revoked %s", old.Cause, recordWords(old.RevokeAt.Time))
	if old.Secret != nil {
		words += ", in " + secretName(old.Secret)
	}
	return words + prefixed(": ", old.Message)
}

func (p *portrait) sayHistory(s *sheet) {
	label := "History"
	history := p.channel.Status.History
	for _, change := range history[:min(len(history), changesTold)] {
		from := change.From
		if from == "" {
			from = "nobody"
		}
		s.add(label, fmt.Sprintf("%s %s → %s%s", recordWords(change.At.Time), from, change.To, bracketed(prefixed("by ", change.RequestedBy))))
		label = ""
	}
	if more := len(history) - changesTold; more > 0 {
		s.add("", fmt.Sprintf("and %d more: -o json lists all", more))
	}
}

// sayState tells whether the channel is in order, and what holds it.
func (p *portrait) sayState(s *sheet) {
	if freeze := p.freezeJSON(); freeze != nil {
		words := freeze.Message
		if words == "" {
			words = "held by PublishingFreeze " + strings.Join(freeze.Names, ", ")
		}
		s.add("Frozen", words)
	}
	if ptr.Deref(p.channel.Spec.Suspend, false) {
		s.add("Suspended", suspendedWords)
	}
	ready := p.conditionJSON(v1alpha1.ConditionReady)
	if ready == nil {
		s.add("Ready", "not known: Rostra has not looked at the channel yet")
		return
	}
	words := ready.Status + ", " + ready.Reason
	if !p.told(ready.Message) {
		words += prefixed(": ", ready.Message)
	}
	s.add("Ready", words)
	if p.stale() {
		s.add("", "of an earlier manifest: Rostra has not looked at the change yet")
	}
}

// told tells whether a message stands on another line already.
func (p *portrait) told(message string) bool {
	others := []string{}
	if p.objection != nil {
		others = append(others, p.objection.Message)
	}
	if freeze := p.freezeJSON(); freeze != nil {
		others = append(others, freeze.Message)
	}
	return slices.Contains(others, message)
}

// wallWords writes a time by the clock on the wall of a zone, recordWords one
// that is on record.
func wallWords(t time.Time, zone *time.Location) string {
	layout := "Mon 2006-01-02 15:04 MST"
	if t.Second() != 0 {
		layout = "Mon 2006-01-02 15:04:05 MST"
	}
	return t.In(zone).Format(layout)
}

func recordWords(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }
