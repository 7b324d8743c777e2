// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package meta

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
)

// graphError is an error in the form of the Graph API
// (https://developers.facebook.com/docs/graph-api/guides/error-handling/). Its
// message is not kept: it repeats what was asked.
type graphError struct {
	Code      int  `json:"code"`
	Subcode   int  `json:"error_subcode"`
	Transient bool `json:"is_transient"`

	status int // of the answer
}

// verdict is what an error means.
type verdict struct {
	class   platform.Class
	message string
}

// Subcodes of codes 190 and 102.
const (
	subcodeAppRemoved      = 458
	subcodeCheckpoint      = 459
	subcodePasswordChanged = 460
	subcodeExpired         = 463
	subcodeUnconfirmed     = 464
	subcodeInvalidated     = 467
	subcodeNoTask          = 492
)

// Codes that are looked for by more than the class.
const (
	codeUnknown     = 1
	codeApplication = 101
	codeParameter   = 100
	codeToken       = 190

	subcodeNoObject = 33
)

const (
	wordsUnknownToken = "Meta does not accept the access token: it is mistyped, of another app, or no longer valid"
	wordsScope        = "the access token lacks a permission that is needed: connect the account again and grant every permission that is asked for"
	wordsLimit        = "Meta takes no more requests for this app, this person or this Page for now"
	wordsBlocked      = "Meta blocks the account or the app for what it has done: somebody must look at it on Facebook"
	wordsApplication  = "Meta does not accept the app's ID and secret, or what the app asks for with them: check the platform's application Secret, and the app's dashboard"
	wordsForeign      = "an error came back that is not in the form of the Graph API: is the server URL right, and does nothing before the server turn Rostra away?"
)

// verdictOf gives what code and subcode mean. Codes that are not here say
// nothing that may be acted on.
func verdictOf(code, subcode int) verdict {
	switch {
	case code == codeToken || code == 102:
		return verdictOfToken(subcode)
	case code == 3 || code == 10 || code >= 200 && code <= 299:
		return verdict{platform.InsufficientScope, wordsScope}
	case isLimit(code):
		return verdict{platform.RateLimited, wordsLimit}
	}
	switch code {
	case codeUnknown, 2:
		return verdict{platform.Transient, "the Graph API is out of order for now"}
	case 368:
		return verdict{platform.PolicyBlocked, wordsBlocked}
	case codeParameter:
		if subcode == subcodeNoObject {
			return verdict{platform.NotFound, "there is no such Page, or the person behind the access token cannot see it"}
		}
		return verdict{platform.Permanent, "the Graph API refuses the request: is it for the right Page, and of the right app?"}
	case 803:
		return verdict{platform.NotFound, "there is no Page of that name or ID"}
	case 21:
		return verdict{platform.NotFound, "the Page has moved to another ID: declare that one"}
	case 506:
		return verdict{platform.Conflict, "the Page has just posted the same"}
	case codeApplication:
		return verdict{platform.Permanent, wordsApplication}
	case 12, 2635:
		return verdict{platform.Permanent, "the Graph API no longer has what this version of Rostra asks for: update Rostra"}
	}
	return verdict{platform.Unknown, "the Graph API refuses the request for a reason that Rostra does not know"}
}

// verdictOfToken gives what the subcode of a refused token means.
func verdictOfToken(subcode int) verdict {
	switch subcode {
	case subcodeAppRemoved:
		return verdict{platform.Revoked, "the person who connected the account has removed the app on Facebook: connect it again"}
	case subcodeCheckpoint:
		return verdict{platform.PolicyBlocked, "Facebook wants the person who connected the account to log in and confirm who they are"}
	case subcodePasswordChanged:
		return verdict{platform.Revoked, "the person who connected the account has changed their password, which ends every token: connect it again"}
	case subcodeExpired:
		return verdict{platform.Revoked, "the access token has expired: connect the account again"}
	case subcodeUnconfirmed:
		return verdict{platform.PolicyBlocked, "the Facebook account of the person who connected the account is not confirmed"}
	case subcodeInvalidated:
		return verdict{platform.Revoked, "the access token was invalidated at Facebook: connect the account again"}
	case subcodeNoTask:
		return verdict{platform.Revoked, "the person who connected the account has no task on the Page any more: let somebody who has one connect it again"}
	}
	return verdict{platform.Unauthorized, wordsUnknownToken}
}

// isLimit: limits of the app, the person and the Page, and those by business
// use case (https://developers.facebook.com/docs/graph-api/overview/rate-limiting/).
func isLimit(code int) bool {
	switch code {
	case 4, 17, 32, 341, 613:
		return true
	}
	return code >= 80000 && code <= 80014
}

// failure makes a Failure of the error.
func (e graphError) failure(retryAt time.Time) *platform.Failure {
	found := verdictOf(e.Code, e.Subcode)
	if e.Transient && found.class != platform.RateLimited {
		found = verdict{platform.Transient, "the Graph API could not take the request this time"}
	}
	code := strconv.Itoa(e.Code)
	if e.Subcode != 0 {
		code += "/" + strconv.Itoa(e.Subcode)
	}
	return &platform.Failure{Class: found.class, Code: code, Message: found.message, RetryAt: retryAt, Cause: &e}
}

// Error implements error, so that the code can be found in the chain.
func (e *graphError) Error() string { return "the Graph API gave an error" }

// codeOf gives the code of the Graph API's error in the chain; 0 where there is
// none.
func codeOf(err error) int {
	if found, ok := errors.AsType[*graphError](err); ok {
		return found.Code
	}
	return 0
}

// refusal gives the Failure that an answer is, or nil. Errors come with a status
// of 200 as well.
func (a *Adapter) refusal(response *httpx.Response) *platform.Failure {
	found, inJSON := readError(response)
	succeeded := response.Status >= 200 && response.Status <= 299
	switch {
	case found != nil:
		return a.failureOf(*found, response)
	case succeeded:
		return nil
	case inJSON:
		return platform.FromStatus(response.Status, response.RetryAt)
	}
	return foreign(response)
}

// failureOf makes a Failure of an answer's error. Where it is a limit, the API
// says in a header of its own when it ends.
func (a *Adapter) failureOf(found graphError, response *httpx.Response) *platform.Failure {
	failure := found.failure(response.RetryAt)
	if failure.Class == platform.RateLimited {
		failure.RetryAt = a.retryAt(response)
	}
	return failure
}

// readError reads the Graph API's form of an error. inJSON tells of an error in
// another form of JSON.
func readError(response *httpx.Response) (found *graphError, inJSON bool) {
	var body struct {
		Error json.RawMessage `json:"error"`
	}
	if err := httpx.DecodeJSON(response, &body); err == nil && len(body.Error) > 0 {
		inJSON = true
		var read graphError
		if err := json.Unmarshal(body.Error, &read); err == nil && read.Code != 0 {
			read.status = response.Status
			found = &read
		}
	}
	return found, inJSON
}

// foreign is for an error that does not come from the Graph API: what it says of
// authorisation says nothing about a credential.
func foreign(response *httpx.Response) *platform.Failure {
	failure := platform.FromStatus(response.Status, response.RetryAt)
	if failure.Class != platform.Transient && failure.Class != platform.RateLimited {
		failure.Class, failure.Message = platform.Unknown, wordsForeign
	}
	return failure
}

// businessUsage is one entry of the header X-Business-Use-Case-Usage.
type businessUsage struct {
	// RegainAccess in minutes; 0 while there is access.
	RegainAccess float64 `json:"estimated_time_to_regain_access"`
}

// maxUsage bounds a header that is parsed, in bytes.
const maxUsage = 16 << 10

// retryAt is when the API said to come back: the latest of what the header says
// of any business and use case, else what HTTP says. X-App-Usage has percentages
// alone.
func (a *Adapter) retryAt(response *httpx.Response) time.Time {
	header := response.Header.Get("X-Business-Use-Case-Usage")
	minutes := 0.0
	usage := map[string][]businessUsage{}
	if len(header) <= maxUsage && json.Unmarshal([]byte(header), &usage) == nil {
		for _, entries := range usage {
			for _, entry := range entries {
				minutes = max(minutes, entry.RegainAccess)
			}
		}
	}
	if minutes <= 0 {
		return response.RetryAt
	}
	const day = 24 * 60
	now := a.clock.Now()
	return httpx.ClampRetry(now.Add(time.Duration(min(minutes, day)*float64(time.Minute))), now)
}

// ofApplication makes of a refusal in the API's own form what it is where the
// app's own token was sent: no word on any account's credential.
func ofApplication(err error) error {
	failure, ok := errors.AsType[*platform.Failure](err)
	if !ok || failure.Code == "" {
		return err
	}
	switch failure.Class {
	case platform.Unauthorized, platform.Revoked, platform.InsufficientScope:
		return &platform.Failure{Class: platform.Permanent, Code: failure.Code, Message: wordsApplication, Cause: failure.Cause}
	case platform.PolicyBlocked, platform.RateLimited, platform.NotFound, platform.Conflict, platform.Transient, platform.Permanent, platform.Unknown:
	}
	return err
}

// ofTokenEndpoint makes of what the token endpoint says of the app's ID and
// secret what it is. It has the code of an unknown trouble for a wrong secret,
// with the status of a refusal.
func ofTokenEndpoint(err error) error {
	found, ok := errors.AsType[*graphError](err)
	isClient := ok && !found.Transient &&
		(found.Code == codeApplication || found.Code == codeUnknown && found.status >= http.StatusBadRequest && found.status < http.StatusInternalServerError)
	if !isClient {
		return err
	}
	return &platform.Failure{Class: platform.Permanent, Code: strconv.Itoa(found.Code), Message: wordsApplication, Cause: found}
}

// isRefused tells whether an error says that a token is not, or no longer, good.
func isRefused(err error) bool {
	switch platform.ClassOf(err) {
	case platform.Unauthorized, platform.Revoked:
		return true
	case platform.InsufficientScope, platform.PolicyBlocked, platform.RateLimited, platform.NotFound, platform.Conflict,
		platform.Transient, platform.Permanent, platform.Unknown:
	}
	return false
}
