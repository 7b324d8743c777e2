// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package manifests_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing/iotest"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/manifests"
)

const (
	team = `apiVersion: social.rostra.dev/v1alpha1
kind: Team
metadata: {name: customer-care}
spec: {namespace: customer-care, manager: maria, members: [{name: maria, email: maria@acme.example}]}
`
	rota = `apiVersion: social.rostra.dev/v1alpha1
kind: ResponderRota
metadata: {name: care, namespace: social}
spec: {timeZone: Europe/London, layers: [{name: all, teamRef: {name: customer-care}}]}
`
	override = `{"apiVersion": "social.rostra.dev/v1alpha1", "kind": "RotaOverride", "metadata": {"name": "swap", "namespace": "social"},
 "spec": {"responderRotaRef": {"name": "care"}, "teamRef": {"name": "customer-care"}, "member": "maria", "from": "2026-11-27T18:00:00Z", "until": "2026-11-28T09:00:00Z"}}`
	secret = `apiVersion: v1
kind: Secret
metadata: {name: acme-help-source}
stringData: {password: hunter2hunter2}
`
)

// folder writes files by their path, and returns their folder.
func folder(files map[string]string) string {
	GinkgoHelper()
	root := GinkgoT().TempDir()
	for path, content := range files {
		file := filepath.Join(root, filepath.FromSlash(path))
		Expect(os.MkdirAll(filepath.Dir(file), 0o700)).To(Succeed())
		Expect(os.WriteFile(file, []byte(content), 0o600)).To(Succeed())
	}
	return root
}

// names of all that a set holds, by kind.
func names(set *manifests.Set) []string {
	all := []string{}
	for _, object := range set.Teams {
		all = append(all, "Team "+object.Name)
	}
	for _, object := range set.Platforms {
		all = append(all, "SocialPlatform "+object.Name)
	}
	for _, object := range set.Channels {
		all = append(all, "SocialChannel "+object.Namespace+"/"+object.Name)
	}
	for _, object := range set.Rotas {
		all = append(all, "ResponderRota "+object.Namespace+"/"+object.Name)
	}
	for _, object := range set.Routes {
		all = append(all, "EscalationRoute "+object.Namespace+"/"+object.Name)
	}
	for _, object := range set.Overrides {
		all = append(all, "RotaOverride "+object.Namespace+"/"+object.Name)
	}
	return all
}

func read(content string) (*manifests.Set, error) {
	return manifests.Read([]string{"-"}, strings.NewReader(content))
}

var _ = Describe("Reading", func() {
	It("finds every kind in a folder and below it, and leaves out what is not meant", func() {
		root := folder(map[string]string{
			"teams/care.yaml":                 team,
			"rotas/care.yml":                  "# a comment\n---\n" + rota + "---\n" + secret + "...\n",
			"rotas/deep/er/swap.json":         override,
			"routes/care.yaml":                "apiVersion: social.rostra.dev/v1alpha1\nkind: EscalationRoute\nmetadata: {name: care, namespace: social}\nspec: {steps: [{targets: [{responderRotaRef: {name: care}}], wait: 15m}]}\n",
			"kustomization.yaml":              "resources: [teams, rotas]\nkind: [not, a, kind]",
			"rotas/Kustomization.yml":         "]",
			".github/workflow.yaml":           "]",
			".hidden.yaml":                    "]",
			"README.md":                       "]",
			"values.yaml":                     "replicas: 3\n",
			"list.yaml":                       "- 1\n- 2\n",
			"text.yaml":                       "nothing but words\n",
			"empty.yaml":                      "",
			"other.yaml":                      "apiVersion: apps/v1\nkind: Deployment\nunknown: {a: 1, a: 2}\n",
			"x.yaml/channel.yaml":             strings.NewReplacer("ResponderRota", "SocialChannel", "spec: {timeZone: Europe/London, layers: [{name: all, teamRef: {name: customer-care}}]}", "spec: {handle: help.acme.example}").Replace(rota),
			"platform/bluesky/platform.yaml":  "apiVersion: social.rostra.dev/v1alpha1\nkind: SocialPlatform\nmetadata: {name: bluesky, namespace: left-over}\n",
			"rotas/wrong-extension.yaml.orig": "]",
		})
		set, err := manifests.Read([]string{root}, nil)
		Expect(err).NotTo(HaveOccurred())
		Expect(names(set)).To(Equal([]string{
			"Team customer-care", "SocialPlatform bluesky", "SocialChannel social/care", "ResponderRota social/care", "EscalationRoute social/care", "RotaOverride social/swap",
		}))
		Expect(set.Platforms[0].Namespace).To(BeEmpty(), "it is cluster-scoped")
		Expect(set.Rotas[0].Spec.TimeZone).To(Equal("Europe/London"))
		Expect(set.Origin(&set.Rotas[0])).To(Equal(filepath.Join(root, "rotas", "care.yml") + " (document 1)"))
		Expect(set.Origin(&set.Teams[0])).To(Equal(filepath.Join(root, "teams", "care.yaml")))
		Expect(set.Origin(&v1alpha1.Team{})).To(BeEmpty())
	})

	It("keeps the kinds that no command looks at, in no namespace where they have none", func() {
		set, err := read("apiVersion: social.rostra.dev/v1alpha1\nkind: ContentPolicy\nmetadata: {name: brand, namespace: left-over}\n" +
			"spec: {channelSelector: {}, response: {firstResponse: 1h}}\n")
		Expect(err).NotTo(HaveOccurred())
		Expect(set.Others).To(ConsistOf(And(BeAssignableToTypeOf(&v1alpha1.ContentPolicy{}), HaveField("Name", "brand"), HaveField("Namespace", BeEmpty()))))
		Expect(set.Origin(set.Others[0])).To(Equal("standard input"))
	})

	It("gives the objects in the order of their names, whatever the files' order", func() {
		var content strings.Builder
		for _, name := range []string{"b/x", "a/z", "a/b"} {
			namespace, name, _ := strings.Cut(name, "/")
			content.WriteString("---\n" + strings.NewReplacer("name: care", "name: "+name, "namespace: social", "namespace: "+namespace).Replace(rota))
		}
		set, err := read(content.String())
		Expect(err).NotTo(HaveOccurred())
		Expect(names(set)).To(Equal([]string{"ResponderRota a/b", "ResponderRota a/z", "ResponderRota b/x"}))
	})

	It("reads a file once, however many paths lead to it", func() {
		root := folder(map[string]string{"rotas/care.yaml": rota})
		link := filepath.Join(GinkgoT().TempDir(), "link")
		Expect(os.Symlink(root, link)).To(Succeed())
		file := filepath.Join(root, "rotas", "care.yaml")
		set, err := manifests.Read([]string{root, file, filepath.Join(root, "rotas"), link, filepath.Join(root, "rotas", "..", "rotas", "care.yaml")}, nil)
		Expect(err).NotTo(HaveOccurred())
		Expect(names(set)).To(Equal([]string{"ResponderRota social/care"}))

		By("following a link that is given by name")
		set, err = manifests.Read([]string{link}, nil)
		Expect(err).NotTo(HaveOccurred())
		Expect(names(set)).To(Equal([]string{"ResponderRota social/care"}))
	})

	DescribeTable("understands every way to write several objects",
		func(content string, expected ...string) {
			set, err := read(content)
			Expect(err).NotTo(HaveOccurred())
			Expect(names(set)).To(Equal(append([]string{}, expected...)))
		},
		Entry("YAML documents", team+"---\n"+rota, "Team customer-care", "ResponderRota social/care"),
		Entry("with Windows line ends", strings.ReplaceAll(team+"---\n"+rota, "\n", "\r\n"), "Team customer-care", "ResponderRota social/care"),
		Entry("with a byte order mark", "\xef\xbb\xbf"+team, "Team customer-care"),
		Entry("with directives and comments", "%YAML 1.1\n---  # care\n"+team+"--- # and its rota\n"+rota, "Team customer-care", "ResponderRota social/care"),
		Entry("on the marker's own line", "--- {apiVersion: social.rostra.dev/v1alpha1, kind: Team, metadata: {name: a}}\n--- {apiVersion: social.rostra.dev/v1alpha1, kind: Team, metadata: {name: b}}\n", "Team a", "Team b"),
		Entry("after an end marker", team+"...\n"+rota, "Team customer-care", "ResponderRota social/care"),
		Entry("JSON values one after another", override+override[:1]+strings.Replace(override[1:], `"swap"`, `"swop"`, 1), "RotaOverride social/swap", "RotaOverride social/swop"),
		Entry("braces that are YAML", "{apiVersion: social.rostra.dev/v1alpha1, kind: Team, metadata: {name: a}}\n---\n"+rota, "Team a", "ResponderRota social/care"),
		Entry("a List, as kubectl writes it", "apiVersion: v1\nkind: List\nitems:\n- "+strings.ReplaceAll(strings.TrimSpace(team), "\n", "\n  ")+"\n- "+strings.ReplaceAll(strings.TrimSpace(secret), "\n", "\n  ")+"\n- 3\n", "Team customer-care"),
		Entry("a list of our kinds", `{"apiVersion": "social.rostra.dev/v1alpha1", "kind": "RotaOverrideList", "items": [`+override+`]}`, "RotaOverride social/swap"),
		Entry("an empty List", "apiVersion: v1\nkind: List\n"),
		Entry("nothing", ""),
	)

	It("puts a namespaced object without a namespace into default", func() {
		set, err := read(strings.Replace(rota, ", namespace: social", "", 1))
		Expect(err).NotTo(HaveOccurred())
		Expect(names(set)).To(Equal([]string{"ResponderRota default/care"}))
	})
})

var _ = Describe("A mistake", func() {
	DescribeTable("is told with its place and what to do",
		func(content, expected string) {
			_, err := read(content)
			Expect(err).To(MatchError(ContainSubstring(expected)))
		},
		Entry("an unknown field", strings.Replace(rota, "timeZone:", "timezone:", 1),
			`standard input: "spec.timezone" is not a field of a ResponderRota: check its spelling and its indentation`),
		Entry("an unknown field in the second document", team+"---\n"+strings.Replace(rota, "layers:", "layer:", 1),
			`standard input (document 2): "spec.layer" is not a field`),
		Entry("a field twice", strings.Replace(team, "spec: {", "spec: {manager: dana, ", 1), `key "manager" already set`),
		Entry("a field of the wrong shape", strings.Replace(rota, "layers: [", "layers: [3, ", 1), "this cannot be read as a ResponderRota"),
		Entry("a time that is none", strings.Replace(override, "2026-11-27T18:00:00Z", "27.11.2026", 1), "this cannot be read as a RotaOverride"),
		Entry("no YAML", "a: [", "standard input: this cannot be read as YAML"),
		Entry("a template", "metadata: {{ .Values.name }}\nx: {{- end }}\n", "this cannot be read as YAML"),
		Entry("text that is not UTF-8", team+"\xff", "not UTF-8 text"),
		Entry("no name", strings.Replace(team, "name: customer-care", "labels: {}", 1), "the Team has no metadata.name: write one"),
		Entry("no apiVersion", strings.Replace(rota, "apiVersion: social.rostra.dev/v1alpha1\n", "", 1), "ResponderRota has no apiVersion: write apiVersion: social.rostra.dev/v1alpha1"),
		Entry("an apiVersion that is no text", strings.Replace(rota, "social.rostra.dev/v1alpha1", "1", 1), "ResponderRota has no apiVersion"),
		Entry("no kind", strings.Replace(rota, "kind: ResponderRota\n", "", 1), "the object has no kind"),
		Entry("an unknown kind", strings.Replace(rota, "ResponderRota", "ResponderRoter", 1), `social.rostra.dev/v1alpha1 has no kind "ResponderRoter": check its spelling`),
		Entry("an unknown version", strings.Replace(rota, "v1alpha1", "v9", 1), "apiVersion social.rostra.dev/v9 is not known: write social.rostra.dev/v1alpha1"),
		Entry("the same object twice", rota+"---\n"+rota,
			"standard input (document 2): ResponderRota social/care is declared in standard input (document 1) already"),
		Entry("an item of a List", "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: social.rostra.dev/v1alpha1, kind: Team, spec: {}}\n", "standard input, items[0]: the Team has no metadata.name"),
		Entry("a List whose items are none", "apiVersion: v1\nkind: List\nitems: {a: 1}\n", "items of a List must be a list"),
		Entry("a List in a List", "apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: List, items: []}]\n", "standard input, items[0]: this is a list in a list"),
	)

	It("of JSON in a file of that name is told as one", func() {
		_, err := manifests.Read([]string{folder(map[string]string{"swap.json": override + "{"})}, nil)
		Expect(err).To(MatchError(ContainSubstring("swap.json: this is not JSON")))
	})

	It("names both files of an object that is declared twice", func() {
		root := folder(map[string]string{"base/care.yaml": rota, "production/care.yaml": rota})
		_, err := manifests.Read([]string{root}, nil)
		Expect(err).To(MatchError(And(
			ContainSubstring(filepath.Join(root, "production", "care.yaml")+": ResponderRota social/care is declared in "+filepath.Join(root, "base", "care.yaml")+" already"),
			ContainSubstring("give -f the folder of one environment"))))
	})

	It("does not hide another", func() {
		root := folder(map[string]string{"a.yaml": "a: [", "b.yaml": strings.Replace(rota, "timeZone", "zone", 1)})
		_, err := manifests.Read([]string{root, filepath.Join(root, "gone.yaml")}, nil)
		Expect(err).To(MatchError(And(ContainSubstring("a.yaml: this"), ContainSubstring(`b.yaml: "spec.zone"`), ContainSubstring("gone.yaml: cannot be read: no such file"))))
	})

	It("is told twenty times and then counted", func() {
		var content strings.Builder
		for range 50 {
			content.WriteString("---\n{apiVersion: social.rostra.dev/v1alpha1, kind: Team}\n")
		}
		_, err := read(content.String())
		Expect(strings.Count(err.Error(), "has no metadata.name")).To(Equal(20))
		Expect(err).To(MatchError(HaveSuffix("and 30 more mistakes")))
	})

	It("never tells what is in a Secret", func() {
		for _, content := range []string{secret, secret + "oops: [", "- " + secret, strings.Replace(secret, "v1", "7", 1)} {
			if _, err := read(content + "---\n" + rota + "---\n" + rota); err != nil {
				Expect(err.Error()).NotTo(ContainSubstring("hunter2"))
			}
		}
	})
})

var _ = Describe("The limits", func() {
	It("refuse a file that no manifest is", func() {
		root := folder(map[string]string{"big.yaml": "# " + strings.Repeat("x", manifests.MaxFileBytes)})
		_, err := manifests.Read([]string{root}, nil)
		Expect(err).To(MatchError(ContainSubstring("big.yaml: the file is larger than 10 MiB")))
	})

	It("end a read that has no end", func() {
		_, err := manifests.Read([]string{"-"}, endless{})
		Expect(err).To(MatchError(ContainSubstring("standard input: the file is larger than 10 MiB")))
	})

	It("stop at so many files", func() {
		files := map[string]string{}
		for i := range manifests.MaxFiles + 1 {
			files[fmt.Sprintf("%05d.yaml", i)] = ""
		}
		_, err := manifests.Read([]string{folder(files)}, nil)
		Expect(err).To(MatchError("there are more than 10000 files: give -f the folder that holds the manifests"))
	})

	It("stop at so much in all", func() {
		root := folder(map[string]string{"big.yaml": "# " + strings.Repeat("x", manifests.MaxFileBytes-2)})
		for i := range manifests.MaxTotalBytes / manifests.MaxFileBytes {
			Expect(os.Link(filepath.Join(root, "big.yaml"), filepath.Join(root, fmt.Sprintf("%02d.yaml", i)))).To(Succeed())
		}
		_, err := manifests.Read([]string{root}, nil)
		Expect(err).To(MatchError("the files are larger than 256 MiB together: give -f the folder that holds the manifests"))
	})

	It("tell of standard input that breaks off", func() {
		_, err := manifests.Read([]string{"-"}, iotest.ErrReader(fmt.Errorf("the pipe broke")))
		Expect(err).To(MatchError("standard input: cannot be read: the pipe broke"))
	})
})

// endless never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '#'
	}
	return len(p), nil
}
