// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package inbox

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/rostra-dev/rostra/internal/event"
)

const (
	// maxEncoded bounds an encoded event in bytes. A bounded event takes less
	// than 160 KiB even where JSON escapes every character.
	maxEncoded = 256 << 10
	// maxPlatform bounds a platform's name in bytes.
	maxPlatform = 63
	// partitions are how many channels' events may be handled side by side.
	// Stored subjects hold a partition's number: another number of partitions
	// loses the order of the events that are stored at the time.
	partitions = 16

	subjectPrefix = "rostra.events"
)

// message is an event as it is stored.
type message struct {
	subject string
	// id is a digest of what identifies the event; JetStream folds by it.
	id   string
	data []byte
}

// encode brings an event into the form in which it is stored.
func encode(e event.Event) (message, error) {
	id := identity(e)
	e = e.Bounded()
	if err := validate(e); err != nil {
		return message{}, err
	}
	data, err := json.Marshal(e)
	if err != nil {
		return message{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if len(data) > maxEncoded {
		return message{}, fmt.Errorf("%w: it takes %d bytes, %d are allowed", ErrInvalid, len(data), maxEncoded)
	}
	return message{subject: subject(e), id: id, data: data}, nil
}

// decode reads what encode wrote. On a cluster others may have written it, so
// it trusts nothing.
func decode(data []byte) (event.Event, error) {
	if len(data) > maxEncoded {
		return event.Event{}, fmt.Errorf("%w: it takes %d bytes, %d are allowed", ErrInvalid, len(data), maxEncoded)
	}
	var e event.Event
	if err := json.Unmarshal(data, &e); err != nil {
		// The error of encoding/json may quote the text.
		return event.Event{}, fmt.Errorf("%w: it is no JSON of an event", ErrInvalid)
	}
	e = e.Bounded()
	return e, validate(e)
}

// validate checks what storing and finding an event depends on.
func validate(e event.Event) error {
	switch {
	case e.ID == "":
		return fmt.Errorf("%w: it has no ID", ErrInvalid)
	case !slices.Contains(event.Kinds(), e.Kind):
		return fmt.Errorf("%w: its kind is not known", ErrInvalid)
	case !isToken(e.Platform):
		return fmt.Errorf("%w: it does not name its platform with letters, digits and hyphens", ErrInvalid)
	case e.ChannelUID == "" && e.AccountID == "":
		return fmt.Errorf("%w: it names neither a channel nor an account", ErrInvalid)
	}
	return nil
}

// isToken tells whether a name may stand in a subject as it is.
func isToken(name string) bool {
	return name != "" && len(name) <= maxPlatform && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-'
	})
}

// identity of an event: the same for every delivery of it. The channel goes
// before the account, because not every delivery repeats the account.
func identity(e event.Event) string {
	sum := digest(strings.ToLower(e.Platform), owner(e), e.ID)
	return base64.RawURLEncoding.EncodeToString(sum[:24])
}

// owner of an event, in a form in which a channel is no account.
func owner(e event.Event) string {
	if e.ChannelUID != "" {
		return "channel/" + e.ChannelUID
	}
	return "account/" + e.AccountID
}

// subject under which an event is stored:
//
//	rostra.events.<partition>.<platform>.<owner>.<kind>
//
// The owner is a digest of the channel's UID or the account's identifier, so
// that nothing from outside stands in a subject.
func subject(e event.Event) string {
	platform := strings.ToLower(e.Platform)
	sum := digest(platform, owner(e))
	return strings.Join([]string{subjectPrefix, partition(sum[:]), platform, hex.EncodeToString(sum[:16]), string(e.Kind)}, ".")
}

// partition of an owner, by its digest.
func partition(sum []byte) string {
	hash := fnv.New32a()
	_, _ = hash.Write(sum)
	return partitionToken(int(hash.Sum32() % partitions))
}

// partitionToken is a partition's number as it stands in subjects and names.
func partitionToken(number int) string {
	return fmt.Sprintf("%02d", number)
}

// filters select the events of some kinds in a partition; no kinds are all.
func filters(partition string, kinds []event.Kind) []string {
	if len(kinds) == 0 {
		return []string{strings.Join([]string{subjectPrefix, partition, ">"}, ".")}
	}
	selected := make([]string, 0, len(kinds))
	for _, kind := range kinds {
		selected = append(selected, strings.Join([]string{subjectPrefix, partition, "*", "*", string(kind)}, "."))
	}
	slices.Sort(selected)
	return slices.Compact(selected)
}

// digest of several texts, each with its length, so that no two lists of texts
// read alike.
func digest(parts ...string) [sha256.Size]byte {
	var buffer []byte
	for _, part := range parts {
		buffer = binary.AppendUvarint(buffer, uint64(len(part)))
		buffer = append(buffer, part...)
	}
	return sha256.Sum256(buffer)
}
