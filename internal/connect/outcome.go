// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/webpage"
)

// result says what came of a request. The set is bounded: it is a metric label.
type result string

const (
	// resultShown is the one that is neither counted nor logged: a page that
	// starts nothing.
	resultShown         result = ""
	resultBegun         result = "Begun"
	resultConnected     result = "Connected"
	resultDeclined      result = "Declined"
	resultProviderError result = "ProviderError"
	resultMissingScopes result = "MissingScopes"
	resultWrongAccount  result = "WrongAccount"
	resultPlatform      result = "PlatformFailed"
	resultStore         result = "StoreFailed"
	resultNotOffered    result = "NotOffered"
	resultUnknown       result = "UnknownChannel"
	resultBadLink       result = "BadLink"
	resultMalformed     result = "Malformed"
	resultForged        result = "Forged"
	resultForeign       result = "OtherBrowser"
	resultExpired       result = "Expired"
	resultUsed          result = "Used"
	resultCrossSite     result = "CrossSite"
	resultRateLimited   result = "RateLimited"
)

// outcome is what came of a request: what the person sees, and what is logged
// and counted.
type outcome struct {
	result result
	page   page
	// redirect, in place of a page.
	redirect string
	// cookie to be set.
	cookie *http.Cookie
	// subject, where it is known, and err, where something is out of order: the
	// log has it under the reference that the page shows.
	subject *Subject
	err     error
	// detail for the log.
	detail string
}

// of names the channel that an outcome is about.
func (o outcome) of(subject *Subject) outcome {
	o.subject = subject
	return o
}

// without adds a cookie that removes the browser's.
func (o outcome) without(cookie *http.Cookie) outcome {
	o.cookie = cookie
	return o
}

// answer writes, counts and logs an outcome.
func (h *handler) answer(w http.ResponseWriter, r *http.Request, o outcome) {
	h.record(&o)
	if o.cookie != nil {
		http.SetCookie(w, o.cookie)
	}
	if o.redirect != "" {
		webpage.NoStore(w.Header())
		w.Header().Set("Location", o.redirect)
		w.WriteHeader(http.StatusSeeOther)
		return
	}
	h.pages.Write(w, r, o.page)
}

// record counts and logs an outcome. It gives the page of a disorder the
// reference under which the log has it.
func (h *handler) record(o *outcome) {
	if o.result == resultShown {
		return
	}
	platformType, log := "", h.logger.WithValues("result", o.result)
	if o.subject != nil {
		platformType = o.subject.Platform
		log = log.WithValues("channel", o.subject.Channel, "platform", platformType)
	}
	h.results.WithLabelValues(platformType, string(o.result)).Inc()
	if o.detail != "" {
		log = log.WithValues("detail", o.detail)
	}
	if o.err == nil {
		log.Info("an account's consent")
		return
	}
	o.page.Reference = newReference()
	log.Error(o.err, "an account's consent", "reference", o.page.Reference)
}

// subjectOutcome says why there is no subject.
func subjectOutcome(err error) outcome {
	switch {
	case errors.Is(err, ErrUnknown):
		return outcome{result: resultUnknown, page: pageUnknownChannel()}
	case errors.Is(err, ErrNotOffered):
		return outcome{result: resultNotOffered, page: pageNotOffered(err.Error())}
	}
	return storeOutcome(err)
}

func storeOutcome(err error) outcome {
	return outcome{result: resultStore, page: pageStore(), err: err}
}

// platformOutcome says that the platform did not do its part, on a page that
// gets what is to be said of it. The message of a Failure is for people; that
// of any other error is for the log.
func platformOutcome(subject *Subject, err error, page func(*Subject, string) page) outcome {
	said := ""
	if failure, ok := errors.AsType[*platform.Failure](err); ok {
		said = failure.Error()
	}
	return outcome{result: resultPlatform, page: page(subject, said), subject: subject, err: err}
}

func newResults(registry prometheus.Registerer) (*prometheus.CounterVec, error) {
	results := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "rostra_connect_total",
		Help: "What came of connecting accounts by consent, by platform type (empty where it is not known) and result.",
	}, []string{"platform", "result"})
	if registry == nil {
		return results, nil
	}
	err := registry.Register(results)
	if already, ok := err.(prometheus.AlreadyRegisteredError); ok { //nolint:errorlint // the registry gives it bare
		existing, ok := already.ExistingCollector.(*prometheus.CounterVec)
		if !ok {
			return nil, fmt.Errorf("the metric's name is taken: %w", err)
		}
		return existing, nil
	}
	return results, err
}
