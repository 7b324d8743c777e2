// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package rbac_test

import (
	"bytes"
	"context"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/rostra-dev/rostra/controllers"
	"github.com/rostra-dev/rostra/internal/ack"
	"github.com/rostra-dev/rostra/internal/hook"
	"github.com/rostra-dev/rostra/internal/inbox"
	"github.com/rostra-dev/rostra/internal/platform"
)

const (
	docsDir    = "../../docs"
	gatewayDir = configDir + "/components/gateway"
	scaledDir  = configDir + "/components/gateway-scaled"
	gatewayURL = "--gateway-url=https://hooks.acme.example"
	natsURL    = "--nats-url=nats://nats.nats:4222"
	hookUID    = "7f3c1d52-0a3e-4a51-9b1c-5f0e2d1c4b6a"
)

// documented gives the overlays that a page shows, in its order: those of its blocks that begin with "# overlay/" and the
// path of a file. Paths to Rostra are made to lead to this repository.
func documented(page string) []map[string]string {
	GinkgoHelper()
	content, err := os.ReadFile(filepath.Join(docsDir, page))
	Expect(err).NotTo(HaveOccurred())
	var found []map[string]string
	for i, part := range strings.Split(string(content), "```") {
		part, isOverlay := strings.CutPrefix(part, "yaml\n# overlay/")
		if name, text, ok := strings.Cut(part, "\n"); ok && isOverlay && i%2 == 1 {
			found = append(found, map[string]string{name: here(text)})
		}
	}
	return found
}

// commented gives the overlay that a component's own comment shows.
func commented(component string) map[string]string {
	GinkgoHelper()
	content, err := os.ReadFile(filepath.Join(component, "kustomization.yaml"))
	Expect(err).NotTo(HaveOccurred())
	var text strings.Builder
	for line := range strings.Lines(string(content)) {
		if shown, ok := strings.CutPrefix(line, "#   "); ok {
			text.WriteString(shown)
		}
	}
	return map[string]string{"kustomization.yaml": here(text.String())}
}

// here lets an overlay beside a checkout of Rostra be one in this folder.
func here(text string) string { return strings.ReplaceAll(text, "../rostra/config", "../../../config") }

// exposed adds the file that is to be copied and changed, as it is.
func exposed(files map[string]string, name string) map[string]string {
	GinkgoHelper()
	content, err := os.ReadFile(filepath.Join(gatewayDir, "exposing", name))
	Expect(err).NotTo(HaveOccurred())
	files = maps.Clone(files)
	files["ingress.yaml"] = string(content)
	return files
}

// with adds components and resources to an overlay.
func with(files map[string]string, component, resource string) map[string]string {
	GinkgoHelper()
	const last = "]\npatches:"
	files = maps.Clone(files)
	changed := files["kustomization.yaml"]
	if component != "" {
		Expect(changed).To(ContainSubstring(last))
		changed = strings.Replace(changed, last, ", ../../../config/components/"+component+last, 1)
	}
	if resource != "" {
		Expect(changed).To(ContainSubstring("ingress.yaml]"))
		changed = strings.Replace(changed, "ingress.yaml]", "ingress.yaml, "+resource+"]", 1)
	}
	files["kustomization.yaml"] = changed
	return files
}

// applied applies an overlay to the cluster, and takes it off again when the container is over.
func applied(ctx SpecContext, files map[string]string) string {
	GinkgoHelper()
	dir := overlay(files)
	DeferCleanup(func(ctx SpecContext) {
		for _, kinds := range []string{
			"ingresses,networkpolicies,persistentvolumeclaims", "service/rostra-gateway", "service/rostra-hooks", "deployment/rostra-gateway",
			"serviceaccount/rostra-gateway", "role/rostra-gateway", "rolebinding/rostra-gateway", "rolebinding/rostra-secrets",
		} {
			arguments := []string{"delete", "--ignore-not-found", "--wait=false", "-n", systemNamespace, kinds}
			if !strings.Contains(kinds, "/") {
				arguments = append(arguments, "--all")
			}
			kubectl(ctx, arguments...)
		}
		kubectl(ctx, "apply", "-k", filepath.Join(configDir, "default"))
	})
	kubectl(ctx, "apply", "--validate=strict", "-k", dir)
	return dir
}

func deployment(ctx SpecContext, name string) *appsv1.Deployment {
	GinkgoHelper()
	found, err := admin.AppsV1().Deployments(systemNamespace).Get(ctx, name, metav1.GetOptions{})
	Expect(err).NotTo(HaveOccurred())
	return found
}

// behind gives the names of the Deployments whose Pods a selector selects.
func behind(ctx SpecContext, selector labels.Selector) []string {
	GinkgoHelper()
	all, err := admin.AppsV1().Deployments(systemNamespace).List(ctx, metav1.ListOptions{})
	Expect(err).NotTo(HaveOccurred())
	var names []string
	for i := range all.Items {
		if selector.Matches(labels.Set(all.Items[i].Spec.Template.Labels)) {
			names = append(names, all.Items[i].Name)
		}
	}
	return names
}

// leadsTo gives the Deployments behind a Service, all of which must have its port.
func leadsTo(ctx SpecContext, name string) []string {
	GinkgoHelper()
	service, err := admin.CoreV1().Services(systemNamespace).Get(ctx, name, metav1.GetOptions{})
	Expect(err).NotTo(HaveOccurred())
	Expect(service.Spec.Ports).To(HaveLen(1))
	port := service.Spec.Ports[0]
	Expect(port.Name).To(Equal("http"))
	names := behind(ctx, labels.SelectorFromSet(service.Spec.Selector))
	for _, one := range names {
		ports := deployment(ctx, one).Spec.Template.Spec.Containers[0].Ports
		Expect(ports).To(ContainElement(corev1.ContainerPort{Name: port.TargetPort.StrVal, ContainerPort: 8443, Protocol: corev1.ProtocolTCP}), one)
	}
	return names
}

// closes gives the Deployments that a NetworkPolicy closes, and the ports that it lets in.
func closes(ctx SpecContext, name string) (deployments, ports []string) {
	GinkgoHelper()
	policy, err := admin.NetworkingV1().NetworkPolicies(systemNamespace).Get(ctx, name, metav1.GetOptions{})
	Expect(err).NotTo(HaveOccurred())
	Expect(policy.Spec.PolicyTypes).To(Equal([]networkingv1.PolicyType{networkingv1.PolicyTypeIngress}))
	for _, rule := range policy.Spec.Ingress {
		Expect(rule.From).To(HaveLen(1))
		for label := range rule.From[0].NamespaceSelector.MatchLabels {
			ports = append(ports, label+" "+rule.Ports[0].Port.StrVal)
		}
	}
	selector, err := metav1.LabelSelectorAsSelector(&policy.Spec.PodSelector)
	Expect(err).NotTo(HaveOccurred())
	return behind(ctx, selector), ports
}

// admitted expects that the namespace's own rule lets a Deployment's Pods in.
func admitted(ctx SpecContext, name string) {
	GinkgoHelper()
	template := deployment(ctx, name).Spec.Template
	if account := template.Spec.ServiceAccountName; account != "" {
		_, err := admin.CoreV1().ServiceAccounts(systemNamespace).Get(ctx, account, metav1.GetOptions{})
		Expect(err).NotTo(HaveOccurred())
	}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "probe", Labels: template.Labels}, Spec: template.Spec}
	_, err := admin.CoreV1().Pods(systemNamespace).Create(ctx, pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	Expect(err).NotTo(HaveOccurred())
}

// images gives the image of each Deployment in what an overlay comes to.
func images(ctx SpecContext, files map[string]string) []string {
	GinkgoHelper()
	out := kubectl(ctx, "apply", "--dry-run=server", "--validate=strict", "-k", overlay(files), "-o",
		`jsonpath={range .items[?(@.kind=="Deployment")]}{.metadata.name}={.spec.template.spec.containers[*].image}{"\n"}{end}`)
	return strings.Fields(out)
}

const ownImage = "images: [{name: rostra, newName: registry.example/rostra, newTag: v0.1.0}]\n"

func withImage(files map[string]string) map[string]string {
	files = maps.Clone(files)
	files["kustomization.yaml"] += ownImage
	return files
}

var (
	ingressAndMetrics = []string{"social.rostra.dev/ingress gateway", "social.rostra.dev/metrics metrics"}
	ofDefault         = []string{"manager", "--leader-elect", "--metrics-bind-address=:8080", "--health-probe-bind-address=:8081"}
)

var _ = Describe("The component gateway", Ordered, func() {
	var files map[string]string
	var dir string

	BeforeAll(func(ctx SpecContext) {
		files = exposed(documented("exposing-the-gateway.md")[0], "ingress.yaml")
		dir = applied(ctx, files)
	})

	It("is used as its own comment says", func() {
		Expect(exposed(commented(gatewayDir), "ingress.yaml")).To(Equal(files))
	})

	It("lets the operator serve, and keep events on a volume that one process at a time has", func(ctx SpecContext) {
		operator := deployment(ctx, "rostra")
		Expect(operator.Spec.Strategy).To(Equal(appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType}))
		Expect(operator.Spec.Replicas).To(HaveValue(BeEquivalentTo(1)))
		manager := operator.Spec.Template.Spec.Containers[0]
		Expect(manager.Args).To(Equal(slices.Concat(ofDefault, []string{"--gateway-bind-address=:8443", "--inbox-dir=/var/lib/rostra", gatewayURL})))
		Expect(manager.VolumeMounts).To(ConsistOf(corev1.VolumeMount{Name: "inbox", MountPath: "/var/lib/rostra"}))
		Expect(operator.Spec.Template.Spec.Volumes).To(HaveLen(1))
		claim := operator.Spec.Template.Spec.Volumes[0].PersistentVolumeClaim
		Expect(claim).NotTo(BeNil())
		_, err := admin.CoreV1().PersistentVolumeClaims(systemNamespace).Get(ctx, claim.ClaimName, metav1.GetOptions{})
		Expect(err).NotTo(HaveOccurred())
		Expect(operator.Spec.Template.Spec.SecurityContext.FSGroup).To(HaveValue(BeEquivalentTo(65532)), "the program's group may write there")
		admitted(ctx, "rostra")
	})

	It("leads all paths to the operator, and lets nothing else in", func(ctx SpecContext) {
		Expect(leadsTo(ctx, "rostra-gateway")).To(ConsistOf("rostra"))
		ingress, err := admin.NetworkingV1().Ingresses(systemNamespace).Get(ctx, "rostra-gateway", metav1.GetOptions{})
		Expect(err).NotTo(HaveOccurred())
		var paths []string
		for _, path := range ingress.Spec.Rules[0].HTTP.Paths {
			Expect(path.Backend.Service.Name).To(Equal("rostra-gateway"))
			Expect(path.Backend.Service.Port.Name).To(Equal("http"))
			paths = append(paths, path.Path)
		}
		Expect(paths).To(ConsistOf(hook.PathPrefix, "/connect/", ack.PathPrefix))
		deployments, ports := closes(ctx, "rostra-gateway")
		Expect(deployments).To(ConsistOf("rostra"))
		Expect(ports).To(ConsistOf(ingressAndMetrics))
	})

	It("has an HTTPRoute to the same Service", func(ctx SpecContext) {
		// The Gateway API is not part of Kubernetes, so it is built and not applied.
		built := kubectl(ctx, "kustomize", overlay(exposed(files, "httproute.yaml")))
		_, route, found := strings.Cut(built, "kind: HTTPRoute\n")
		Expect(found).To(BeTrue())
		Expect(route).To(ContainSubstring("- name: rostra-gateway\n      port: 80\n"))
		Expect(route).To(ContainSubstring("value: /hooks/\n"))
		Expect(route).To(ContainSubstring("value: /connect/\n"))
		Expect(route).To(ContainSubstring("value: /ack/\n"))
	})

	It("can be put on and taken off an operator that runs, and put on again", func(ctx SpecContext) {
		kubectl(ctx, "apply", "--validate=strict", "-k", filepath.Join(configDir, "default"))
		Expect(deployment(ctx, "rostra").Spec.Template.Spec.Containers[0].Args).To(Equal(ofDefault))
		Expect(deployment(ctx, "rostra").Spec.Template.Spec.Volumes).To(BeEmpty())
		kubectl(ctx, "apply", "--validate=strict", "-k", dir)
		Expect(deployment(ctx, "rostra").Spec.Strategy.RollingUpdate).To(BeNil())
		for line := range strings.Lines(kubectl(ctx, "apply", "--validate=strict", "-k", dir)) {
			Expect(line).To(HaveSuffix(" unchanged\n"))
		}
	})

	It("takes the image that the overlay names", func(ctx SpecContext) {
		Expect(images(ctx, withImage(files))).To(ConsistOf("rostra=registry.example/rostra:v0.1.0"))
	})

	It("does not go together with gateways apart, where events are kept elsewhere", func(ctx SpecContext) {
		_, err := shared.Kubectl(ctx, "kustomize", overlay(with(files, "gateway-scaled", "")))
		Expect(err).To(MatchError(ContainSubstring("already registered id: Service.v1.[noGrp]/rostra-gateway.rostra-system")))
	})
})

var _ = Describe("The component gateway, where Rostra has Secrets in named namespaces only", Ordered, func() {
	var manager *rest.Config

	BeforeAll(func(ctx SpecContext) {
		files := exposed(documented("exposing-the-gateway.md")[0], "ingress.yaml")
		files = with(with(files, "secrets-per-namespace", ""), "network-policy", "own-namespace")
		for _, own := range documented("rbac.md") {
			maps.Copy(files, own)
		}
		Expect(files).To(HaveKey("own-namespace/kustomization.yaml"))
		applied(ctx, files)
		manager = serviceAccount("rostra-manager")
	})

	It("lets the operator keep the gateway's key, the records of callbacks, and read applications' Secrets", func(ctx SpecContext) {
		Expect(rules(ctx, manager, systemNamespace)).To(ConsistOf(slices.Concat(everywhere, atHome)))
	})

	It("does not let it touch Secrets elsewhere", func(ctx SpecContext) {
		for _, verb := range []string{"get", "create", "update", "delete"} {
			Expect(may(ctx, manager, verb, "secrets", teamNamespace, "any")).To(BeFalse(), verb)
		}
	})

	It("lets in what either NetworkPolicy lets in", func(ctx SpecContext) {
		for name, expected := range map[string][]string{"rostra-gateway": ingressAndMetrics, "rostra": ingressAndMetrics[1:]} {
			deployments, ports := closes(ctx, name)
			Expect(deployments).To(ConsistOf("rostra"), name)
			Expect(ports).To(ConsistOf(expected), name)
		}
	})

	It("does not let the operator start without the binding, and says why", func(ctx SpecContext) {
		kubectl(ctx, "delete", "rolebinding", "rostra-secrets", "-n", systemNamespace)
		Eventually(may).WithArguments(ctx, manager, "get", "secrets", systemNamespace, "rostra-gateway").Should(BeFalse())
		_, err := controllers.NewManager(ctx, manager, controllers.Options{
			Namespace: systemNamespace, Gateway: &controllers.GatewayOptions{BaseURL: "https://hooks.acme.example"},
			MetricsAddress: "0", ProbeAddress: "0", SkipNameValidation: true,
		})
		Expect(err).To(MatchError(apierrors.IsForbidden, "is forbidden"))
		Expect(err).To(MatchError(ContainSubstring("the gateway's key, Secret rostra-system/rostra-gateway")))
	})
})

var _ = Describe("The component gateway-scaled", Ordered, func() {
	var files map[string]string
	var gateway *rest.Config

	BeforeAll(func(ctx SpecContext) {
		files = exposed(documented("exposing-the-gateway.md")[1], "ingress.yaml")
		hooks := strings.Replace(files["ingress.yaml"], "name: rostra-gateway\n            port", "name: rostra-hooks\n            port", 1)
		Expect(hooks).NotTo(Equal(files["ingress.yaml"]), "/hooks/ comes first")
		files["ingress.yaml"] = hooks
		applied(ctx, with(files, "network-policy", ""))
		gateway = serviceAccount("rostra-gateway")
	})

	It("is used as its own comment says", func() {
		Expect(commented(scaledDir)["kustomization.yaml"]).To(Equal(files["kustomization.yaml"]))
	})

	It("runs gateways, and lets the operator serve pages, with one store of events", func(ctx SpecContext) {
		Expect(deployment(ctx, "rostra-gateway").Spec.Template.Spec.Containers[0].Args).To(Equal([]string{
			"gateway", "--gateway-bind-address=:8443", gatewayURL, natsURL,
		}))
		Expect(deployment(ctx, "rostra").Spec.Template.Spec.Containers[0].Args).To(Equal(slices.Concat(ofDefault, []string{
			"--gateway-bind-address=:8443", gatewayURL, natsURL,
		})))
		Expect(deployment(ctx, "rostra").Spec.Strategy.Type).To(Equal(appsv1.RollingUpdateDeploymentStrategyType))
		Expect(deployment(ctx, "rostra").Spec.Template.Spec.Volumes).To(BeEmpty())
		admitted(ctx, "rostra-gateway")
		admitted(ctx, "rostra")
	})

	It("leads platforms to the gateways, and people to the operator", func(ctx SpecContext) {
		Expect(leadsTo(ctx, "rostra-hooks")).To(ConsistOf("rostra-gateway"))
		Expect(leadsTo(ctx, "rostra-gateway")).To(ConsistOf("rostra"))
		ingress, err := admin.NetworkingV1().Ingresses(systemNamespace).Get(ctx, "rostra-gateway", metav1.GetOptions{})
		Expect(err).NotTo(HaveOccurred())
		backends := map[string]string{}
		for _, path := range ingress.Spec.Rules[0].HTTP.Paths {
			backends[path.Path] = path.Backend.Service.Name
		}
		Expect(backends).To(Equal(map[string]string{hook.PathPrefix: "rostra-hooks", "/connect/": "rostra-gateway", ack.PathPrefix: "rostra-gateway"}))
		for policy, closed := range map[string]string{"rostra-hooks": "rostra-gateway", "rostra-gateway": "rostra"} {
			deployments, ports := closes(ctx, policy)
			Expect(deployments).To(ConsistOf(closed), policy)
			Expect(ports).To(ConsistOf(ingressAndMetrics), policy)
		}
	})

	It("gives the gateways the operator's image, wherever that is said", func(ctx SpecContext) {
		Expect(images(ctx, files)).To(ConsistOf("rostra=rostra:latest", "rostra-gateway=rostra:latest"))
		Expect(images(ctx, withImage(files))).To(ConsistOf("rostra=registry.example/rostra:v0.1.0", "rostra-gateway=registry.example/rostra:v0.1.0"))

		By("saying it in an overlay below this one, as an edit of config/default does")
		below := maps.Clone(files)
		below["kustomization.yaml"] = strings.Replace(below["kustomization.yaml"], "../../../config/default", "base", 1)
		below["base/kustomization.yaml"] = "resources: [../../../../config/default]\n" + ownImage
		Expect(images(ctx, below)).To(ConsistOf("rostra=registry.example/rostra:v0.1.0", "rostra-gateway=registry.example/rostra:v0.1.0"))
	})

	It("lets a gateway read Secrets in Rostra's own namespace, and do nothing else anywhere", func(ctx SpecContext) {
		Expect(rules(ctx, gateway, systemNamespace)).To(ConsistOf("get secrets", "list secrets", "watch secrets"))
		Expect(rules(ctx, gateway, teamNamespace)).To(BeEmpty())
		Expect(may(ctx, gateway, "list", "secrets", "", "")).To(BeFalse())
		_, err := clientset(gateway).CoreV1().Secrets(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
		Expect(err).To(MatchError(apierrors.IsForbidden, "is forbidden"))
	})

	It("leaves a gateway enough to serve", func(ctx SpecContext) {
		key := bytes.Repeat([]byte{7}, hook.KeySize)
		made := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "rostra-gateway"}, Data: map[string][]byte{"key": key}}
		_, err := admin.CoreV1().Secrets(systemNamespace).Create(ctx, made, metav1.CreateOptions{})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func(ctx SpecContext) {
			Expect(admin.CoreV1().Secrets(systemNamespace).Delete(ctx, made.Name, metav1.DeleteOptions{})).To(Succeed())
		})
		address := startGateway(gateway)
		// It knows that the callback is gone only once it has listed the records.
		Eventually(answer).WithArguments(ctx, hook.URL("http://"+address, "Mastodon", key, hookUID)).Should(Equal(http.StatusGone))
		Expect(answer(ctx, hook.URL("http://"+address, "Mastodon", bytes.Repeat([]byte{8}, hook.KeySize), hookUID))).To(Equal(http.StatusNotFound))
	})
})

// startGateway runs a gateway without the operator, as a user, and gives its address.
func startGateway(as *rest.Config) string {
	GinkgoHelper()
	log.SetLogger(GinkgoLogr)
	free, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	Expect(err).NotTo(HaveOccurred())
	address := free.Addr().String()
	Expect(free.Close()).To(Succeed())
	running, stop := context.WithCancel(context.Background())
	kept, err := inbox.Open(running, inbox.Options{Dir: GinkgoT().TempDir()})
	Expect(err).NotTo(HaveOccurred())
	mgr, err := controllers.NewGateway(running, as, controllers.Options{
		Platforms: platform.Registry{}, Namespace: systemNamespace, Inbox: kept,
		Gateway:        &controllers.GatewayOptions{Address: address, BaseURL: "http://" + address},
		MetricsAddress: "0", ProbeAddress: "0",
	})
	Expect(err).NotTo(HaveOccurred())
	done := make(chan error, 1)
	go func() { done <- mgr.Start(running) }()
	DeferCleanup(func() {
		stop()
		Eventually(done).Should(Receive(BeNil()))
		Expect(kept.Close()).To(Succeed())
	})
	return address
}

func answer(ctx context.Context, url string) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}
