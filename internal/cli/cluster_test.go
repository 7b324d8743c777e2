// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/rostra-dev/rostra/internal/cli"
)

// api answers as a Kubernetes API does, from manifests by their paths.
type api struct {
	objects map[string]map[string]any
	asked   []string
	// patched is told of a patch, and does to the object what is to come of it.
	patched func(object map[string]any, r *http.Request)
}

const group = "/apis/social.rostra.dev/v1alpha1"

// serve starts an API that holds manifests, and gives a kubeconfig whose
// context is in the namespace "social".
func serve(documents ...string) (*api, string) {
	GinkgoHelper()
	a := &api{objects: map[string]map[string]any{}}
	for document := range strings.SplitSeq(strings.Join(documents, "\n---\n"), "\n---\n") {
		object := map[string]any{}
		Expect(yaml.Unmarshal([]byte(document), &object)).To(Succeed())
		metadata, ok := object["metadata"].(map[string]any)
		Expect(ok).To(BeTrue())
		path := group
		if namespace, found := metadata["namespace"]; found {
			path += "/namespaces/" + namespace.(string)
		}
		a.objects[path+"/"+strings.ToLower(object["kind"].(string))+"s/"+metadata["name"].(string)] = object
	}
	server := httptest.NewServer(a)
	DeferCleanup(server.Close)
	config := filepath.Join(GinkgoT().TempDir(), "kubeconfig")
	Expect(os.WriteFile(config, []byte(`apiVersion: v1
kind: Config
current-context: here
contexts:
- {name: here, context: {cluster: here, namespace: social}}
- {name: press, context: {cluster: here, namespace: press}}
- {name: nowhere, context: {cluster: nowhere}}
clusters:
- {name: here, cluster: {server: "`+server.URL+`"}}
- {name: nowhere, cluster: {server: "http://127.0.0.1:1"}}
`), 0o600)).To(Succeed())
	return a, config
}

// listKinds by the names that the API's paths have for them.
var listKinds = map[string]string{
	"responderrotas": "ResponderRotaList", "rotaoverrides": "RotaOverrideList", "socialchannels": "SocialChannelList", "socialplatforms": "SocialPlatformList", "teams": "TeamList",
}

// ServeHTTP implements http.Handler: reads of one object, and lists of a
// namespace or of all.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.asked = append(a.asked, r.Method+" "+strings.TrimPrefix(r.URL.Path, group))
	w.Header().Set("Content-Type", "application/json")
	if object, found := a.objects[r.URL.Path]; found {
		if r.Method == http.MethodPatch && a.patched != nil {
			a.patched(object, r)
		}
		_ = json.NewEncoder(w).Encode(object)
		return
	}
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, group+"/"), "/")
	if len(parts)%2 == 0 {
		w.WriteHeader(http.StatusNotFound)
		_ = json.NewEncoder(w).Encode(metav1.Status{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure, Reason: metav1.StatusReasonNotFound, Code: http.StatusNotFound,
			Message: parts[len(parts)-2] + `.social.rostra.dev "` + parts[len(parts)-1] + `" not found`,
		})
		return
	}
	kind, items := parts[len(parts)-1], []any{}
	for path, object := range a.objects {
		of, _ := filepath.Split(path)
		inside := strings.TrimSuffix(of, "/") == r.URL.Path
		if inside || len(parts) == 1 && strings.HasSuffix(of, "/"+kind+"/") {
			items = append(items, object)
		}
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"apiVersion": "social.rostra.dev/v1alpha1", "kind": listKinds[kind], "metadata": map[string]any{}, "items": items})
}

var _ = Describe("On a cluster", func() {
	It("says who is on duty, and reads only what it needs for that", func() {
		a, config := serve(teams, careRota, swap, inNamespace(careRota, "press"))
		out := succeed("oncall", "care", "--kubeconfig", config, "--from", "2026-11-24T11:00", "--for", "2h", "-o", "json")
		Expect(segments(out)).To(Equal([]segment{
			{"2026-11-24T11:00:00Z", "2026-11-24T12:00:00Z", "dana", "customer-care", "weekdays"},
			{"2026-11-24T12:00:00Z", "2026-11-24T13:00:00Z", "otto", "public-relations", "override"},
		}))
		Expect(a.asked).To(Equal([]string{
			"GET /namespaces/social/responderrotas/care", "GET /namespaces/social/rotaoverrides",
			"GET /teams/customer-care", "GET /teams/public-relations",
		}))
	})

	DescribeTable("takes the namespace from the name, the flag, the context, in this order",
		func(args ...string) {
			a, config := serve(teams, inNamespace(careRota, "press"))
			Expect(succeed(append([]string{"oncall", "--kubeconfig", config}, args...)...)).To(ContainSubstring("dana"))
			Expect(a.asked[0]).To(Equal("GET /namespaces/press/responderrotas/care"))
		},
		Entry("name", "press/care"),
		Entry("flag", "care", "-n", "press"),
		Entry("context", "care", "--context", "press"),
	)

	It("takes the kubeconfig that kubectl would", func() {
		_, config := serve(teams, careRota)
		GinkgoT().Setenv("KUBECONFIG", config)
		Expect(succeed("oncall", "care")).To(ContainSubstring("dana"))
	})

	It("says that a team is missing as the rota does", func() {
		_, config := serve(careRota)
		r := rostra("oncall", "care", "--kubeconfig", config)
		Expect(r.code).To(Equal(cli.ExitOK))
		Expect(r.stderr).To(And(HavePrefix("warning: ResponderRota social/care: "), ContainSubstring("team customer-care, which does not exist")))
	})

	It("shows the coverage of one channel, of a namespace, and of all", func() {
		a, config := serve(teams, officeHours, channel("acme-help", "{mode: Always}", "office"), channel("acme-news", "", ""),
			inNamespace(channel("press", "{mode: Always}", "gone"), "press"))
		Expect(succeed("coverage", "acme-help", "--kubeconfig", config)).To(ContainSubstring("nobody is on duty for 112h a week"))
		Expect(a.asked).To(Equal([]string{
			"GET /namespaces/social/socialchannels/acme-help", "GET /namespaces/social/responderrotas/office",
			"GET /namespaces/social/rotaoverrides", "GET /teams/customer-care",
		}))
		Expect(succeed("coverage", "press/press", "--kubeconfig", config)).To(ContainSubstring("ResponderRota press/gone, which does not exist"))
		Expect(succeed("coverage", "acme-news", "--kubeconfig", config)).To(ContainSubstring("promises no hours"))
		Expect(reports(succeed("coverage", "--kubeconfig", config, "-o", "json"))).To(HaveLen(2))
		Expect(reports(succeed("coverage", "--kubeconfig", config, "-n", "press", "-o", "json"))).To(HaveLen(1))
		list := reports(succeed("coverage", "--kubeconfig", config, "-A", "-o", "json"))
		Expect(list).To(HaveLen(3))
		Expect([]string{list[0].Channel, list[1].Channel, list[2].Channel}).To(Equal([]string{"press/press", "social/acme-help", "social/acme-news"}))
	})

	DescribeTable("tells what cannot be read",
		func(expected string, args ...string) {
			_, config := serve(careRota)
			r := rostra(append(args, "--kubeconfig", config)...)
			Expect(r.code).To(Equal(cli.ExitFailure))
			Expect(r.stderr).To(ContainSubstring(expected))
		},
		Entry("a rota", `rostra: read ResponderRota social/gone: responderrotas.social.rostra.dev "gone" not found`, "oncall", "gone"),
		Entry("a channel", `rostra: read SocialChannel social/gone: socialchannels.social.rostra.dev "gone" not found`, "coverage", "gone"),
		Entry("a cluster that is away", "read ResponderRota default/care: ", "oncall", "care", "--context", "nowhere"),
		Entry("a context that is not there", "find the cluster: ", "oncall", "care", "--context", "other"),
	)

	It("says how to give manifests where there is no cluster", func() {
		GinkgoT().Setenv("KUBECONFIG", filepath.Join(GinkgoT().TempDir(), "none"))
		GinkgoT().Setenv("KUBERNETES_SERVICE_HOST", "")
		r := rostra("oncall", "care")
		Expect(r.code).To(Equal(cli.ExitFailure))
		Expect(r.stderr).To(And(HavePrefix("rostra: find the cluster: "), HaveSuffix("; give manifests with -f, or a cluster with --kubeconfig\n")))
	})
})
