// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package manifests_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/manifests"
)

// FuzzRead reads anything. What it takes has a name and a place, and says the
// same when it is written and read again.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"", "---", "a: [", team, rota, override, secret, team + "---\n" + rota, override + override, "\xef\xbb\xbf" + team, "%YAML 1.1\n--- {}\n...",
		`{"apiVersion": "v1", "kind": "List", "items": [` + override + `]}`, "apiVersion: v1\nkind: List\nitems: {}",
		"a: &a [x]\nb: *a\n<<: {c: 1}", "apiVersion: social.rostra.dev/v1alpha1\nkind: TeamList\nitems: [{}]", "? [a]\n: b", "\x00", "---\t\n....\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := manifests.Read([]string{"-"}, bytes.NewReader(data))
		if err != nil {
			if set != nil || strings.TrimSpace(err.Error()) == "" {
				t.Fatalf("a mistake gives no set and says something: %v, %q", set, err)
			}
			return
		}
		written := write(t, set)
		again, err := manifests.Read([]string{"-"}, bytes.NewReader(written))
		if err != nil {
			t.Fatalf("what was read cannot be read again: %v\n%s", err, written)
		}
		if rewritten := write(t, again); !bytes.Equal(written, rewritten) {
			t.Fatalf("reading again gives something else:\n%s\n%s", written, rewritten)
		}
	})
}

// write gives a set as JSON values one after another.
func write(t *testing.T, set *manifests.Set) []byte {
	t.Helper()
	var objects []client.Object
	for i := range set.Teams {
		objects = append(objects, named(&set.Teams[i], "Team"))
	}
	for i := range set.Platforms {
		objects = append(objects, named(&set.Platforms[i], "SocialPlatform"))
	}
	for i := range set.Channels {
		objects = append(objects, named(&set.Channels[i], "SocialChannel"))
	}
	for i := range set.Rotas {
		objects = append(objects, named(&set.Rotas[i], "ResponderRota"))
	}
	for i := range set.Overrides {
		objects = append(objects, named(&set.Overrides[i], "RotaOverride"))
	}
	for i := range set.Routes {
		objects = append(objects, named(&set.Routes[i], "EscalationRoute"))
	}
	objects = append(objects, set.Others...)
	var out bytes.Buffer
	for _, object := range objects {
		if object.GetName() == "" || !strings.HasPrefix(set.Origin(object), "standard input") {
			t.Fatalf("an object without a name or a place: %v", object)
		}
		if slices.Contains([]string{"Team", "SocialPlatform", "ContentPolicy", "PublishingFreeze"}, object.GetObjectKind().GroupVersionKind().Kind) != (object.GetNamespace() == "") {
			t.Fatalf("a namespace where there is none, or none where there must be one: %v", object)
		}
		if err := json.NewEncoder(&out).Encode(object); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

func named(object client.Object, kind string) client.Object {
	object.GetObjectKind().SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind))
	return object
}
