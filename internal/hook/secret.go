// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package hook

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rostra-dev/rostra/internal/credentials"
)

// Fields of a record's Secret.
const (
	fieldPlatform = "platform"
	fieldServer   = "server"
	fieldHook     = "hook"
	fieldChannel  = "channel"
	fieldUID      = "channel-uid"
	fieldAccount  = "account"
	fieldMade     = "made"
	fieldFresh    = "fresh"
	fieldLearnt   = "learnt"
	keyPrefix     = "keys."
	untilSuffix   = ".until"
	valueInfix    = ".value."
)

// maxKeySets bounds the keys of one record: those in force, and those of
// rotations whose overlap is not over.
const maxKeySets = 4

var errNoKeys = errors.New("the record of a callback holds no keys")

// Encode gives the data of the record's Secret. Empty values are left out, and
// so are keys beyond four: those that were never registered first, then the
// oldest.
func (r Record) Encode() map[string][]byte {
	data := map[string][]byte{}
	for field, value := range map[string]string{
		fieldPlatform: r.Platform, fieldServer: r.Server, fieldHook: r.HookID,
		fieldChannel: r.Channel, fieldUID: r.ChannelUID, fieldAccount: r.AccountID,
	} {
		data[field] = []byte(value)
	}
	written := 0
	for _, set := range kept(r.Keys) {
		if written < maxKeySets && encodeKeys(data, keyPrefix+strconv.Itoa(written), set) {
			written++
		}
	}
	if !r.Made.IsZero() {
		data[fieldMade] = []byte(r.Made.UTC().Format(time.RFC3339))
	}
	if r.Fresh {
		data[fieldFresh] = []byte("true")
	}
	if len(r.Learnt) > 0 {
		data[fieldLearnt] = []byte(strings.Join(r.Learnt, ","))
	}
	return data
}

// kept leaves out the oldest of the keys that have no end and neither are the
// newest nor come last of these, as long as there are too many. The last without
// an end are those that the platform has: the others wait for a registration
// that never came.
func kept(sets []KeySet) []KeySet {
	sets = slices.Clone(sets)
	for len(sets) > maxKeySets {
		registered := len(sets) - 1
		for registered > 0 && !sets[registered].Until.IsZero() {
			registered--
		}
		if registered < 2 {
			return sets[:maxKeySets]
		}
		sets = slices.Delete(sets, registered-1, registered)
	}
	return sets
}

// encodeKeys writes nothing where there is no value.
func encodeKeys(data map[string][]byte, prefix string, set KeySet) (written bool) {
	for name, value := range set.Values {
		if !value.IsEmpty() {
			data[prefix+valueInfix+name] = []byte(value.Reveal())
			written = true
		}
	}
	if written && !set.Until.IsZero() {
		data[prefix+untilSuffix] = []byte(set.Until.UTC().Format(time.RFC3339))
	}
	return written
}

// Decode reads the data of a record's Secret. It refuses an empty key: with that,
// anybody could sign. Its errors name fields and show no value.
func Decode(data map[string][]byte) (Record, error) {
	record := Record{
		Platform: string(data[fieldPlatform]), Server: string(data[fieldServer]), HookID: string(data[fieldHook]),
		Channel: string(data[fieldChannel]), ChannelUID: string(data[fieldUID]), AccountID: string(data[fieldAccount]),
	}
	for _, required := range []struct{ field, value string }{
		{fieldPlatform, record.Platform}, {fieldHook, record.HookID}, {fieldUID, record.ChannelUID},
	} {
		if required.value == "" {
			return Record{}, fmt.Errorf("the record of a callback lacks the field %s", required.field)
		}
	}
	for i := range maxKeySets {
		set, err := decodeKeys(data, keyPrefix+strconv.Itoa(i))
		if err != nil {
			return Record{}, err
		}
		if set.Values == nil {
			break
		}
		record.Keys = append(record.Keys, set)
	}
	if len(record.Keys) == 0 {
		return Record{}, errNoKeys
	}
	// A time that is none is as good as none: nothing is judged by it then.
	record.Made, _ = timeOf(data[fieldMade])
	record.Fresh = len(data[fieldFresh]) > 0
	if names := string(data[fieldLearnt]); names != "" {
		record.Learnt = strings.Split(names, ",")
	}
	return record, nil
}

func decodeKeys(data map[string][]byte, prefix string) (KeySet, error) {
	var set KeySet
	for field, content := range data {
		if name, ok := strings.CutPrefix(field, prefix+valueInfix); ok {
			if len(content) == 0 {
				return KeySet{}, fmt.Errorf("the record of a callback has an empty key in the field %s", field)
			}
			if set.Values == nil {
				set.Values = credentials.Values{}
			}
			set.Values[name] = credentials.NewValue(string(content))
		}
	}
	if until, ok := data[prefix+untilSuffix]; ok {
		at, ok := timeOf(until)
		if !ok {
			return KeySet{}, fmt.Errorf("the record of a callback has a field %s%s that is not a time", prefix, untilSuffix)
		}
		set.Until = at
	}
	return set, nil
}

// timeOf reads a time that can be written again: one of the years 0 to 9999.
func timeOf(text []byte) (at time.Time, ok bool) {
	at, err := time.Parse(time.RFC3339, string(text))
	if at = at.UTC(); err != nil || at.Year() < 0 || at.Year() > 9999 {
		return time.Time{}, false
	}
	return at, true
}
