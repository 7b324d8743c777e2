// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package inbox

import (
	"errors"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
)

// A consumer that reads a replica that is behind says that nothing is left.
func TestFollowerIsNotInStepByAReplicaThatIsBehind(t *testing.T) {
	synced := 0
	f := &follower{synced: func() { synced++ }, target: 10, last: 5, replicas: 3}
	f.settle(true)
	if synced != 0 {
		t.Fatal("in step with 5 of 10")
	}
	f.last = 10
	f.settle(true)
	f.settle(true)
	if synced != 1 {
		t.Fatalf("called %d times", synced)
	}
	f = &follower{synced: func() { synced++ }, target: 10, last: 5, replicas: 1}
	f.settle(true)
	if synced != 2 {
		t.Fatal("with one replica nothing left is nothing left")
	}
}

func TestErrorsOfTheServerAreToldApart(t *testing.T) {
	for _, c := range []struct {
		code           jetstream.ErrorCode
		words          string
		want, wantsNot error
	}{
		{codeStoreFailed, "maximum messages per subject exceeded", ErrLaneFull, ErrLimit},
		{codeStoreFailed, "maximum bytes exceeded", ErrLimit, ErrLaneFull},
		{codeStoreFailed, "write 1.blk: no space left on device", ErrFull, ErrLaneFull},
		{codeInsufficientResources, "insufficient resources", ErrFull, ErrLimit},
		{10012, "mkdir /store/obs: no space left on device", ErrFull, ErrUnavailable},
		{10012, "something", ErrUnavailable, ErrFull},
	} {
		refusal := &jetstream.APIError{ErrorCode: c.code, Description: c.words}
		if err := translate(refusal); !errors.Is(err, c.want) || errors.Is(err, c.wantsNot) {
			t.Errorf("translate(%q) = %v", c.words, err)
		}
	}
	if err := troubled(&jetstream.APIError{ErrorCode: 10012, Description: "mkdir /store/obs: no space left on device"}); !errors.Is(err, ErrFull) {
		t.Errorf("a consumer that finds no room on the disk: %v", err)
	}
}

func TestFullDiskIsNoDamage(t *testing.T) {
	e := &embedded{dir: t.TempDir()}
	if err := e.unreadable(e.errFull()); !errors.Is(err, ErrFull) || strings.Contains(err.Error(), "damaged") {
		t.Errorf("a full disk: %v", err)
	}
	if err := e.unreadable(errors.New("meta.inf")); errors.Is(err, ErrFull) || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a store that cannot be read: %v", err)
	}
}

func TestRoomOnTheDisk(t *testing.T) {
	if room, known := roomUnder(t.TempDir()); known && room == 0 {
		t.Error("there is no room where this test writes")
	}
	gone := &embedded{dir: "/does/not/exist"}
	if gone.isDiskFull() || gone.hasRoomAgain() {
		t.Error("what cannot be asked says nothing")
	}
}
