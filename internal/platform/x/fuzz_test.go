// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package x

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
)

// FuzzSignature: only the one signature of the body is good.
func FuzzSignature(f *testing.F) {
	f.Add(sign("secret", []byte("body")), []byte("body"))
	f.Add("sha256=", []byte("body"))
	f.Add("sha256="+strings.Repeat("A", 43)+"=", []byte{})
	f.Add(strings.ToUpper(sign("secret", nil)), []byte(nil))
	keys := []credentials.Values{{applicationConsumerSecret: credentials.NewValue("older")}, {applicationConsumerSecret: credentials.NewValue("secret")}}
	f.Fuzz(func(t *testing.T, signature string, body []byte) {
		d := platform.Delivery{Header: http.Header{headerConsumer: {signature}}, Body: body}
		want := signature == sign("secret", body) || signature == sign("older", body)
		if got := verify(d, keys) == nil; got != want {
			t.Errorf("a signature of %d bytes: good is %t, want %t", len(signature), got, want)
		}
	})
}

// FuzzReceive: what is signed gives events fit to be kept, or a rejection, the
// same each time.
func FuzzReceive(f *testing.F) {
	for _, seed := range []string{
		`{"for_user_id":"12","tweet_create_events":[{"id_str":"1","user":{"id_str":"7","screen_name":"pat"}}]}`,
		`{"for_user_id":"12","direct_message_events":[{"type":"message_create","id":"3","created_timestamp":"1516403560557","message_create":{"target":{"recipient_id":"12"},"sender_id":"7"}}]}`,
		`{"user_event":{"revoke":{"date_time":"2018-05-24T09:48:12+00:00","source":{"user_id":"6"}}}}`,
		`{"for_user_id":"12","favorite_events":[{"id":"a"}],"x":null}`,
		`{"data":{"event_uuid":"9","event_type":"profile.update.handle","filter":{"user_id":"12"}}}`,
		`{}`, `null`, `[`, strings.Repeat(`{"a":`, 100), `{"for_user_id":12}`, `{"":[""]}`,
	} {
		f.Add([]byte(seed))
	}
	keys := []credentials.Values{{applicationConsumerSecret: credentials.NewValue("secret")}}
	f.Fuzz(func(t *testing.T, body []byte) {
		d := platform.Delivery{Method: http.MethodPost, Body: body, ReceivedAt: time.Unix(1_800_000_000, 0), Header: http.Header{
			headerConsumer: {sign("secret", body)}, "Content-Type": {"application/json"},
		}}
		first, err := (&Adapter{}).Receive(d, keys)
		again, errAgain := (&Adapter{}).Receive(d, keys)
		if (err == nil) != (errAgain == nil) || len(first) != len(again) {
			t.Fatalf("read twice, it is not the same")
		}
		for i, e := range first {
			if e.ID == "" || e.ID != again[i].ID || e.Kind == "" || e.Platform != platformName || e.Kind == event.Other && e.Type == "" && utf8Graphic(string(body)) {
				t.Errorf("not an event: %+v", e)
			}
			if e.AccountID != "" && !accountID.MatchString(e.AccountID) || e.URL != "" && !strings.HasPrefix(e.URL, "https://x.com/") {
				t.Errorf("not an event: %+v", e)
			}
		}
	})
}

func utf8Graphic(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) || r == '\\' }) && !strings.Contains(text, `"":`)
}

// FuzzCRC: a challenge that is answered cannot stand for a delivery.
func FuzzCRC(f *testing.F) {
	for _, seed := range []string{"abc", "{}", "MTQ5OTA2==", "", "a b", "9b4507b3-9040-4669-9ca3-6b94edb50553", "null", "12"} {
		f.Add(seed)
	}
	keys := []credentials.Values{{applicationConsumerSecret: credentials.NewValue("secret")}}
	f.Fuzz(func(t *testing.T, token string) {
		d := platform.Delivery{Method: http.MethodGet, Query: url.Values{parameterCRC: {token}}}
		reply, asked, err := (&Adapter{}).Handshake(d, keys)
		if !asked {
			t.Fatal("it was asked")
		}
		if err != nil {
			return
		}
		var said map[string]string
		if json.Unmarshal(reply.Body, &said) != nil || said["response_token"] != sign("secret", []byte(token)) {
			t.Errorf("not the answer to %q", token)
		}
		if events, err := decode([]byte(token)); err == nil {
			t.Errorf("the challenge %q reads as a delivery of %d events", token, len(events))
		}
	})
}

// FuzzDecodeProblem: no answer makes a failure that holds its words, or blames
// the account with the application's token.
func FuzzDecodeProblem(f *testing.F) {
	for _, seed := range []string{
		`{"title":"Unauthorized","type":"about:blank","status":401,"detail":"Unauthorized"}`,
		`{"errors":[{"code":64,"message":"suspended"}]}`, `{"error":"invalid_grant"}`, `{"errors":[{"message":"WebhookIdInvalid: x"}]}`,
		`{"errors":[1,null,[],{"code":1e99}]}`, `{"type":"://"}`, `<html>`, ``, `{"errors":{}}`, `{"status":-5}`,
	} {
		f.Add(401, []byte(seed))
		f.Add(200, []byte(seed))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		response := &httpx.Response{Status: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: body}
		for _, by := range []asker{byNobody, byUser, byApplication, byClient} {
			failure := refused(by, response)
			if failure.Class == "" || failure.Message == "" || strings.ContainsFunc(failure.Error(), unicode.IsControl) {
				t.Errorf("not a failure: %+v", failure)
			}
			if by == byApplication && (failure.Class == platform.Unauthorized || failure.Class == platform.Revoked) {
				t.Errorf("blames the account: %+v", failure)
			}
		}
	})
}

// FuzzPoll: a page gives events fit to be kept and a cursor that is read again.
func FuzzPoll(f *testing.F) {
	for _, seed := range []string{
		`{"data":[{"id":"1","author_id":"7"}],"meta":{"result_count":1}}`, `{"meta":{"result_count":0}}`, `{"data":null}`,
		`{"data":[{"id":"x"}]}`, `{"data":[{"id":"2","author_id":"12","note_tweet":null,"referenced_tweets":[{}]}],"includes":{"users":[{}]}}`,
	} {
		f.Add([]byte(seed), "")
	}
	f.Add([]byte(`{}`), `{"mentions":"1","tweets":""}`)
	f.Add([]byte(`{"data":[7,{"id":"4","created_at":"2027-01-15T08:00:00Z"},{"id":"3","author_id":7}],"includes":{"users":[7]}}`), `{"mentions":"1,2"}`)
	f.Fuzz(func(t *testing.T, body []byte, from string) {
		kept := readCursor(from)
		if again := readCursor(kept.String()); len(again) != len(kept) {
			t.Errorf("a cursor changes: %v, %v", kept, again)
		}
		var page answer[some[post]]
		if httpx.DecodeJSON(&httpx.Response{Status: 200, Body: body}, &page) != nil {
			return
		}
		for _, line := range timelines() {
			w := &walk{account: "12", line: line, from: kept[line.name], begun: true, started: time.Unix(1_800_000_000, 0)}
			w.take(page)
			kept[line.name] = w.mark()
			for _, e := range inOrder(w.found, line.kinds) {
				if !accountID.MatchString(e.PostID) || !strings.HasPrefix(e.URL, "https://x.com/") {
					t.Errorf("not an event: %+v", e)
				}
			}
		}
		if again := readCursor(kept.String()); len(again) != len(kept) {
			t.Errorf("a cursor changes: %v, %v", kept, again)
		}
	})
}
