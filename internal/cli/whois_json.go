// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

// Where an answer comes from.
const (
	basisCluster   = "Cluster"
	basisManifests = "Manifests"
)

// whoisJSON is the answer as programs read it; docs/command-line.md names its
// keys. All of the first level are always there.
type whoisJSON struct {
	Channel       string           `json:"channel"`
	Basis         string           `json:"basis"`
	File          string           `json:"file"`
	At            string           `json:"at"`
	Platform      string           `json:"platform"`
	Handle        string           `json:"handle"`
	Purpose       string           `json:"purpose"`
	Account       *accountJSON     `json:"account"`
	Owner         string           `json:"owner"`
	DeclaredOwner string           `json:"declaredOwner"`
	Objection     *reasonJSON      `json:"objection"`
	Manager       *managerJSON     `json:"manager"`
	Chain         []string         `json:"chain"`
	ChainProblem  string           `json:"chainProblem"`
	Rota          string           `json:"rota"`
	TimeZone      string           `json:"timeZone"`
	OnDuty        *dutyJSON        `json:"onDuty"`
	OnDutyRemark  string           `json:"onDutyRemark"`
	Route         *routeRefJSON    `json:"route"`
	NextGap       *gapJSON         `json:"nextGap"`
	Credential    *credentialJSON  `json:"credential"`
	Retiring      []retiringJSON   `json:"retiring"`
	LastRevoked   *lastRevokedJSON `json:"lastRevoked"`
	Handover      *handoverJSON    `json:"handover"`
	History       []changeJSON     `json:"history"`
	Freeze        *freezeJSON      `json:"freeze"`
	Suspended     bool             `json:"suspended"`
	Ready         *reasonJSON      `json:"ready"`
	StatusCurrent bool             `json:"statusCurrent"`
}

type accountJSON struct {
	ID          string `json:"id"`
	Handle      string `json:"handle,omitempty"`
	DisplayName string `json:"displayName,omitempty"`
}

type reasonJSON struct {
	Status  string `json:"status,omitempty"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

type managerJSON struct {
	Name   string `json:"name"`
	Email  string `json:"email,omitempty"`
	Active bool   `json:"active"`
}

// dutyJSON leaves out a bound that is not within 366 days, and a next one where
// nobody follows.
type dutyJSON struct {
	Member string `json:"member"`
	Team   string `json:"team"`
	Layer  string `json:"layer"`
	Since  string `json:"since,omitempty"`
	Until  string `json:"until,omitempty"`
	Next   string `json:"next,omitempty"`
}

// routeRefJSON is the route that a channel names. Without a summary there is
// none of that name, as remark says.
type routeRefJSON struct {
	Name    string `json:"name"`
	Summary string `json:"summary,omitempty"`
	Remark  string `json:"remark,omitempty"`
}

type credentialJSON struct {
	Team        string      `json:"team"`
	Secret      string      `json:"secret"`
	IssuedAt    string      `json:"issuedAt"`
	DueAt       string      `json:"dueAt,omitempty"`
	ExpiresAt   string      `json:"expiresAt,omitempty"`
	WithdrawnAt string      `json:"withdrawnAt,omitempty"`
	RevokedAt   string      `json:"revokedAt,omitempty"`
	SeenBy      []seenJSON  `json:"seenBy"`
	Ready       *reasonJSON `json:"ready"`
}

type seenJSON struct {
	Member string `json:"member"`
	Left   bool   `json:"left"`
}

type retiringJSON struct {
	Cause    string   `json:"cause"`
	Secret   string   `json:"secret,omitempty"`
	RevokeAt string   `json:"revokeAt"`
	SeenBy   []string `json:"seenBy,omitempty"`
	Message  string   `json:"message,omitempty"`
}

type lastRevokedJSON struct {
	Cause       string `json:"cause"`
	RevokedAt   string `json:"revokedAt"`
	EffectiveBy string `json:"effectiveBy"`
}

type handoverJSON struct {
	From        string     `json:"from"`
	To          string     `json:"to"`
	RequestedBy string     `json:"requestedBy,omitempty"`
	StartedAt   string     `json:"startedAt"`
	Steps       []stepJSON `json:"steps"`
	EffectiveBy string     `json:"effectiveBy,omitempty"`
	CompletedAt string     `json:"completedAt,omitempty"`
}

type stepJSON struct {
	Name string `json:"name"`
	Time string `json:"time"`
}

type changeJSON struct {
	At          string `json:"at"`
	From        string `json:"from,omitempty"`
	To          string `json:"to"`
	RequestedBy string `json:"requestedBy,omitempty"`
}

type freezeJSON struct {
	Names       []string `json:"names"`
	StartedAt   string   `json:"startedAt"`
	CompletedAt string   `json:"completedAt,omitempty"`
	EffectiveBy string   `json:"effectiveBy,omitempty"`
	Message     string   `json:"message"`
}

// answer writes the portrait for programs.
func (p *portrait) answer() whoisJSON {
	spec, status := &p.channel.Spec, &p.channel.Status
	answer := whoisJSON{
		Channel: p.name(), Basis: basisCluster, File: p.origin, At: formatRFC3339(p.at, p.duty.zone),
		Platform: spec.PlatformRef.Name, Handle: spec.Handle, Purpose: spec.Purpose, Account: p.accountJSON(),
		Owner: status.Owner, DeclaredOwner: spec.OwnerRef.Name, Manager: p.managerJSON(),
		Chain: append([]string{}, p.chain...), ChainProblem: p.chainEnd,
		Rota: p.duty.rota, TimeZone: p.duty.zone.String(), OnDuty: p.dutyJSON(), OnDutyRemark: p.duty.remark, Route: p.routeJSON(),
		Credential: p.credentialJSON(), Retiring: p.retiringJSON(), Handover: handoverAnswer(status.Handover), History: []changeJSON{},
		Freeze: p.freezeJSON(), Suspended: ptr.Deref(spec.Suspend, false), Ready: p.conditionJSON(v1alpha1.ConditionReady),
		StatusCurrent: !p.declaredOnly && !p.unseen() && !p.stale(),
	}
	if p.declaredOnly {
		answer.Basis = basisManifests
	}
	if p.objection != nil {
		answer.Objection = &reasonJSON{Reason: p.objection.Reason, Message: p.objection.Message}
	}
	if gap := p.duty.gap; gap != nil {
		answer.NextGap = &gapJSON{gap.From.Format(time.RFC3339), gap.Until.Format(time.RFC3339)}
	}
	if last := status.LastRevoked; last != nil {
		answer.LastRevoked = &lastRevokedJSON{string(last.Cause), stamp(&last.RevokedAt), stamp(&last.EffectiveBy)}
	}
	for _, change := range status.History {
		answer.History = append(answer.History, changeJSON{stamp(&change.At), change.From, change.To, change.RequestedBy})
	}
	return answer
}

func (p *portrait) name() string { return objectName{p.channel.Namespace, p.channel.Name}.String() }

// stamp writes a time of a status; empty for none.
func stamp(at *metav1.Time) string {
	if at == nil {
		return ""
	}
	return formatRFC3339(at.Time, time.UTC)
}

func (p *portrait) accountJSON() *accountJSON {
	if known := p.channel.Status.Account; known != nil {
		return &accountJSON{known.ID, known.Handle, known.DisplayName}
	}
	if p.channel.Spec.AccountID == "" {
		return nil
	}
	return &accountJSON{ID: p.channel.Spec.AccountID}
}

func (p *portrait) managerJSON() *managerJSON {
	if p.team == nil {
		return nil
	}
	member, active := p.manager()
	if member == nil {
		return &managerJSON{Name: p.team.Spec.Manager}
	}
	return &managerJSON{member.Name, member.Email, active}
}

func (p *portrait) dutyJSON() *dutyJSON {
	segment := p.duty.segment
	if p.duty.remark != "" || segment.Nobody() {
		return nil
	}
	return &dutyJSON{
		Member: segment.Member, Team: segment.Team, Layer: segment.Layer,
		Since: formatRFC3339(segment.From, p.duty.zone), Until: formatRFC3339(segment.Until, p.duty.zone), Next: p.duty.next.Member,
	}
}

func (p *portrait) routeJSON() *routeRefJSON {
	if p.route.name == "" {
		return nil
	}
	return &routeRefJSON{p.route.name, p.route.words, p.route.remark}
}

func (p *portrait) credentialJSON() *credentialJSON {
	credential := p.channel.Status.Credential
	if credential == nil {
		return nil
	}
	answer := &credentialJSON{
		Team: credential.Team, Secret: secretName(&credential.Secret), IssuedAt: stamp(&credential.IssuedAt),
		DueAt: stamp(credential.DueAt), ExpiresAt: stamp(credential.ExpiresAt), WithdrawnAt: stamp(credential.WithdrawnAt), RevokedAt: stamp(credential.RevokedAt),
		SeenBy: []seenJSON{}, Ready: p.conditionJSON(v1alpha1.ConditionCredentialReady),
	}
	for _, person := range p.exposed {
		answer.SeenBy = append(answer.SeenBy, seenJSON{person.member, person.left})
	}
	return answer
}

func secretName(secret *v1alpha1.DeliveredSecret) string {
	return objectName{secret.Namespace, secret.Name}.String()
}

func (p *portrait) retiringJSON() []retiringJSON {
	list := []retiringJSON{}
	for i := range p.channel.Status.Retiring {
		old := &p.channel.Status.Retiring[i]
		entry := retiringJSON{Cause: string(old.Cause), RevokeAt: stamp(&old.RevokeAt), SeenBy: old.ExposedTo, Message: old.Message}
		if old.Secret != nil {
			entry.Secret = secretName(old.Secret)
		}
		list = append(list, entry)
	}
	return list
}

func handoverAnswer(handover *v1alpha1.ChannelHandover) *handoverJSON {
	if handover == nil {
		return nil
	}
	answer := &handoverJSON{
		From: handover.From, To: handover.To, RequestedBy: handover.RequestedBy, StartedAt: stamp(&handover.StartedAt),
		Steps: []stepJSON{}, EffectiveBy: stamp(handover.EffectiveBy), CompletedAt: stamp(handover.CompletedAt),
	}
	for _, step := range handover.Steps {
		answer.Steps = append(answer.Steps, stepJSON{string(step.Name), stamp(&step.Time)})
	}
	return answer
}

func (p *portrait) freezeJSON() *freezeJSON {
	freeze := p.channel.Status.Freeze
	if freeze == nil {
		return nil
	}
	answer := &freezeJSON{Names: freeze.Names, StartedAt: stamp(&freeze.StartedAt), CompletedAt: stamp(freeze.CompletedAt), EffectiveBy: stamp(freeze.EffectiveBy)}
	if allowed := p.conditionJSON(v1alpha1.ConditionPublishingAllowed); allowed != nil {
		answer.Message = allowed.Message
	}
	return answer
}

// conditionJSON gives a condition; nil if there is none.
func (p *portrait) conditionJSON(kind string) *reasonJSON {
	condition := meta.FindStatusCondition(p.channel.Status.Conditions, kind)
	if condition == nil {
		return nil
	}
	return &reasonJSON{string(condition.Status), condition.Reason, condition.Message}
}
