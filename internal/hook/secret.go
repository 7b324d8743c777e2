// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package hook

import (
	"errors"
	"fmt"
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
	keyPrefix     = "keys."
	untilSuffix   = ".until"
	valueInfix    = ".value."
)

// maxKeySets bounds the keys of one record: those in force, and those of
// rotations whose overlap is not over.
const maxKeySets = 4

var errNoKeys = errors.New("the record of a callback holds no keys")

// Encode gives the data of the record's Secret. Empty values are left out, and
// so are keys beyond the newest four.
func (r Record) Encode() map[string][]byte {
	data := map[string][]byte{}
	for field, value := range map[string]string{
		fieldPlatform: r.Platform, fieldServer: r.Server, fieldHook: r.HookID,
		fieldChannel: r.Channel, fieldUID: r.ChannelUID, fieldAccount: r.AccountID,
	} {
		data[field] = []byte(value)
	}
	written := 0
	for _, set := range r.Keys {
		if written < maxKeySets && encodeKeys(data, keyPrefix+strconv.Itoa(written), set) {
			written++
		}
	}
	return data
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
		at, err := time.Parse(time.RFC3339, string(until))
		if err != nil {
			return KeySet{}, fmt.Errorf("the record of a callback has a field %s%s that is not a time", prefix, untilSuffix)
		}
		set.Until = at
	}
	return set, nil
}
