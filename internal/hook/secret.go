// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package hook

import (
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

// Encode gives the data of the record's Secret.
func (r Record) Encode() map[string][]byte {
	data := map[string][]byte{}
	for field, value := range map[string]string{
		fieldPlatform: r.Platform, fieldServer: r.Server, fieldHook: r.HookID,
		fieldChannel: r.Channel, fieldUID: r.ChannelUID, fieldAccount: r.AccountID,
	} {
		data[field] = []byte(value)
	}
	for i, set := range r.Keys[:min(len(r.Keys), maxKeySets)] {
		prefix := keyPrefix + strconv.Itoa(i)
		if !set.Until.IsZero() {
			data[prefix+untilSuffix] = []byte(set.Until.UTC().Format(time.RFC3339))
		}
		for name, value := range set.Values {
			data[prefix+valueInfix+name] = []byte(value.Reveal())
		}
	}
	return data
}

// Decode reads the data of a record's Secret. Its errors name fields and show
// no value.
func Decode(data map[string][]byte) (Record, error) {
	record := Record{
		Platform: string(data[fieldPlatform]), Server: string(data[fieldServer]), HookID: string(data[fieldHook]),
		Channel: string(data[fieldChannel]), ChannelUID: string(data[fieldUID]), AccountID: string(data[fieldAccount]),
	}
	for field, value := range map[string]string{fieldPlatform: record.Platform, fieldHook: record.HookID, fieldUID: record.ChannelUID} {
		if value == "" {
			return Record{}, fmt.Errorf("the record of a callback lacks the field %s", field)
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
		return Record{}, fmt.Errorf("the record of a callback holds no keys")
	}
	return record, nil
}

func decodeKeys(data map[string][]byte, prefix string) (KeySet, error) {
	var set KeySet
	for field, content := range data {
		if name, ok := strings.CutPrefix(field, prefix+valueInfix); ok {
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
