// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package rbac_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers"
)

const (
	ownershipPolicy    = "rostra-channel-ownership"
	ownershipNamespace = "social-ownership"
	actorPrefix        = "actor-"
)

var _ = Describe("The component ownership-admission", Ordered, ContinueOnFailure, func() {
	BeforeAll(func(ctx SpecContext) {
		makeNamespace(ctx, ownershipNamespace)
		kubectl(ctx, "apply", "--validate=strict", "-k", ownershipOverlay())
		DeferCleanup(func(ctx SpecContext) {
			kubectl(ctx, "delete", "socialchannels", "--all", "-n", ownershipNamespace, "--timeout=30s")
			kubectl(ctx, "delete", "validatingadmissionpolicies,validatingadmissionpolicybindings", ownershipPolicy)
			kubectl(ctx, "delete", "clusterrole,clusterrolebinding", "rostra-garbage-collector")
			kubectl(ctx, "delete", "clusterrole", "rostra-any-team")
		})
		stranger := as(actor(ctx, nil))
		Eventually(func() error { return stranger.Create(ctx, channelOf("first", "marketing"), client.DryRunAll) }).
			Should(MatchError(apierrors.IsForbidden, "is refused"))
	})

	It("adds to the default manifests and changes none of them", func(ctx SpecContext) {
		all := kubectl(ctx, "kustomize", ownershipOverlay())
		Expect(all).To(ContainSubstring("kind: ValidatingAdmissionPolicy\n"))
		Expect(all).To(ContainSubstring("kind: ValidatingAdmissionPolicyBinding\n"))
		for document := range strings.SplitSeq(kubectl(ctx, "kustomize", filepath.Join(configDir, "default")), "---\n") {
			Expect(all).To(ContainSubstring(document))
		}
		for line := range strings.Lines(kubectl(ctx, "apply", "--validate=strict", "-k", ownershipOverlay())) {
			Expect(line).To(HaveSuffix(" unchanged\n"))
		}
	})

	It("has expressions that fit the kind they judge", func(ctx SpecContext) {
		Eventually(typeWarnings).WithArguments(ctx, ownershipPolicy).Should(BeEmpty())

		By("looking at one with a mistake, which is noticed")
		policies := admin.AdmissionregistrationV1().ValidatingAdmissionPolicies()
		policy, err := policies.Get(ctx, ownershipPolicy, metav1.GetOptions{})
		Expect(err).NotTo(HaveOccurred())
		wrong := &admissionregistrationv1.ValidatingAdmissionPolicy{
			ObjectMeta: metav1.ObjectMeta{Name: "mistaken"}, Spec: *policy.Spec.DeepCopy(),
		}
		wrong.Spec.Validations[0].Expression = "object.spec.ownerReff.name == ''"
		_, err = policies.Create(ctx, wrong, metav1.CreateOptions{})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func(ctx SpecContext) {
			Expect(policies.Delete(ctx, "mistaken", metav1.DeleteOptions{})).To(Succeed())
		})
		Eventually(typeWarnings).WithArguments(ctx, "mistaken").Should(ContainElement(ContainSubstring("ownerReff")))
	})

	It("gives its verbs to nobody who was not told to have them", func(ctx SpecContext) {
		Expect(ownershipRoles(ctx)).To(ConsistOf("cluster-admin", "rostra-any-team", "rostra-garbage-collector"))
		bindings, err := admin.RbacV1().ClusterRoleBindings().List(ctx, metav1.ListOptions{})
		Expect(err).NotTo(HaveOccurred())
		for _, binding := range bindings.Items {
			Expect(binding.RoleRef.Name).NotTo(Equal("rostra-any-team"), binding.Name)
		}
	})

	describeMoving()
	describePending()
	describeCreating()
	describeDeleting()
	describeReferences()
	describeOtherWrites()
	describeApplying()
	describeExamples()
})

func describeMoving() {
	const both = "you need the verbs release on teams/marketing and own on teams/customer-care"
	DescribeTable("asks whoever moves a channel for release on the old team and own on the new",
		func(ctx SpecContext, rights []string, outcome types.GomegaMatcher) {
			channel := declared(ctx, channelOf("help", "marketing"))
			Expect(move(ctx, actor(ctx, rights), channel, "customer-care")).To(outcome)
		},
		Entry("neither", nil, beRefused("to move channel social-ownership/help from team marketing to team customer-care "+both)),
		Entry("release alone", []string{"release marketing"}, beRefused("you need the verb own on teams/customer-care")),
		Entry("own alone", []string{"own customer-care"}, beRefused("you need the verb release on teams/marketing")),
		Entry("both", []string{"release marketing", "own customer-care"}, Succeed()),
		Entry("both, the wrong way round", []string{"own marketing", "release customer-care"}, beRefused(both)),
		Entry("everything on the old team", []string{"own marketing", "release marketing"}, beRefused("own on teams/customer-care")),
		Entry("everything on the new team", []string{"own customer-care", "release customer-care"}, beRefused("release on teams/marketing")),
		Entry("both on other teams", []string{"own product", "release product"}, beRefused(both)),
		Entry("both on any team", []string{"own *", "release *"}, Succeed()),
	)

	It("lets cluster administrators move any channel", func(ctx SpecContext) {
		channel := declared(ctx, channelOf("help", "marketing"))
		Expect(move(ctx, bind(ctx, "cluster-admin", ""), channel, "customer-care")).To(Succeed())
		Expect(move(ctx, shared.Config(), channel, "customer-care")).To(Succeed())
	})

	It("does not let the verbs stand in for the right to edit channels", func(ctx SpecContext) {
		channel := declared(ctx, channelOf("help", "marketing"))
		const name = actorPrefix + "who-may-not-edit"
		grant(ctx, name, "release marketing", "own customer-care")
		Expect(move(ctx, user(name), channel, "customer-care")).To(MatchError(ContainSubstring(`cannot update resource "socialchannels"`)))
	})
}

func describePending() {
	DescribeTable("asks the team that still holds a channel, not the one that was promised it",
		func(ctx SpecContext, to string, rights []string, outcome types.GomegaMatcher) {
			channel := heldBy(ctx, declared(ctx, channelOf("help", "customer-care")), "marketing")
			Expect(move(ctx, actor(ctx, rights), channel, to)).To(outcome)
		},
		Entry("back, with own", "marketing", []string{"own marketing"}, Succeed()),
		Entry("back, with nothing", "marketing", nil,
			beRefused("to leave channel social-ownership/help with team marketing after all you need the verb own on teams/marketing")),
		Entry("back, with what the promised team has", "marketing", []string{"own customer-care", "release customer-care"},
			beRefused("own on teams/marketing")),
		Entry("on, with the holder's release", "product", []string{"release marketing", "own product"}, Succeed()),
		Entry("on, with the promised team's release", "product", []string{"release customer-care", "own product"},
			beRefused("to move channel social-ownership/help from team marketing to team product you need the verb release on teams/marketing")),
		Entry("on, with release alone", "product", []string{"release marketing", "release customer-care"}, beRefused("own on teams/product")),
	)
}

func describeCreating() {
	DescribeTable("asks whoever creates a channel for own on its team",
		func(ctx SpecContext, rights []string, outcome types.GomegaMatcher) {
			Expect(as(actor(ctx, rights)).Create(ctx, channelOf("new", "marketing"), client.DryRunAll)).To(outcome)
		},
		Entry("neither", nil, beRefused("to create channel social-ownership/new for team marketing you need the verb own on teams/marketing")),
		Entry("own", []string{"own marketing"}, Succeed()),
		Entry("release alone", []string{"release marketing"}, beRefused("own on teams/marketing")),
		Entry("own on another team", []string{"own product"}, beRefused("own on teams/marketing")),
	)

	It("names a channel whose name the API server makes up", func(ctx SpecContext) {
		channel := channelOf("", "marketing")
		channel.GenerateName = "made-up-"
		Expect(as(actor(ctx, nil)).Create(ctx, channel, client.DryRunAll)).To(beRefused("to create channel social-ownership/made-up-"))
	})

	It("takes no word for who held it before", func(ctx SpecContext) {
		channel := channelOf("new", "marketing")
		channel.Status.Owner = "product"
		Expect(as(actor(ctx, []string{"own product"})).Create(ctx, channel, client.DryRunAll)).To(beRefused("own on teams/marketing"))
	})
}

func describeDeleting() {
	DescribeTable("asks whoever deletes a channel for release on the team that holds it",
		func(ctx SpecContext, rights []string, outcome types.GomegaMatcher) {
			who := as(actor(ctx, rights))
			channel := declared(ctx, channelOf("help", "marketing"))
			Expect(who.Delete(ctx, channel, client.DryRunAll)).To(outcome)
			pending := heldBy(ctx, declared(ctx, channelOf("pending", "customer-care")), "marketing")
			Expect(who.Delete(ctx, pending, client.DryRunAll)).To(outcome)
		},
		Entry("neither", nil, beRefused(", which team marketing holds, you need the verb release on teams/marketing")),
		Entry("release", []string{"release marketing"}, Succeed()),
		Entry("own alone", []string{"own marketing"}, beRefused("release on teams/marketing")),
		Entry("release on another team", []string{"release customer-care"}, beRefused("release on teams/marketing")),
	)

	It("asks for each of many that are deleted at once", func(ctx SpecContext) {
		declared(ctx, channelOf("help", "marketing"))
		declared(ctx, channelOf("baggage", "customer-care"))
		everyone := func(rights ...string) error {
			return as(actor(ctx, rights)).DeleteAllOf(ctx, &v1alpha1.SocialChannel{}, client.InNamespace(ownershipNamespace), client.DryRunAll)
		}
		Expect(everyone("release marketing")).To(beRefused("release on teams/customer-care"))
		Expect(everyone("release customer-care")).To(beRefused("release on teams/marketing"))
		Expect(everyone("release marketing", "release customer-care")).To(Succeed())
	})

	It("does not hold up a namespace that is going away", func(ctx SpecContext) {
		const leaving = "leaving"
		makeNamespace(ctx, leaving)
		channel := channelOf("help", "marketing")
		channel.Namespace = leaving
		// Its finalizer keeps the channel, and so the namespace, as the operator does while it revokes.
		channel.Finalizers = []string{v1alpha1.FinalizerChannel}
		declared(ctx, channel)
		controller := as(user("system:serviceaccount:kube-system:namespace-controller", "system:serviceaccounts", "system:serviceaccounts:kube-system"))
		sweep := func() error {
			return controller.DeleteAllOf(ctx, &v1alpha1.SocialChannel{}, client.InNamespace(leaving), client.DryRunAll)
		}
		Expect(sweep()).To(beRefused("release on teams/marketing"), "as long as it stays")

		Expect(admin.CoreV1().Namespaces().Delete(ctx, leaving, metav1.DeleteOptions{})).To(Succeed())
		Eventually(sweep).Should(Succeed())

		removeFinalizer(ctx, as(serviceAccount("rostra-manager")), channel)
		Eventually(func() error {
			_, err := admin.CoreV1().Namespaces().Get(ctx, leaving, metav1.GetOptions{})
			return err
		}).Should(MatchError(apierrors.IsNotFound, "is gone"))
	})

	It("lets the garbage collector delete what belonged to something that is gone", func(ctx SpecContext) {
		channel := declared(ctx, channelOf("help", "marketing"))
		for _, who := range []*rest.Config{
			user("system:serviceaccount:kube-system:generic-garbage-collector", "system:serviceaccounts", "system:serviceaccounts:kube-system"),
			user("system:kube-controller-manager"),
		} {
			Eventually(may).WithArguments(ctx, who, "release", teams, "", "marketing").Should(BeTrue())
			Expect(may(ctx, who, "own", teams, "", "marketing")).To(BeFalse())
		}
		collector := as(user("system:serviceaccount:kube-system:generic-garbage-collector", "system:serviceaccounts", "system:serviceaccounts:kube-system"))
		Expect(collector.Delete(ctx, channel, client.DryRunAll)).To(Succeed())
	})
}

func describeReferences() {
	reference := func(ctx SpecContext) metav1.OwnerReference {
		holder, err := admin.CoreV1().ConfigMaps(ownershipNamespace).Create(ctx,
			&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "holder-"}}, metav1.CreateOptions{})
		Expect(err).NotTo(HaveOccurred())
		return metav1.OwnerReference{APIVersion: "v1", Kind: "ConfigMap", Name: holder.Name, UID: holder.UID}
	}

	It("asks for release when a channel is tied to something whose deletion deletes it", func(ctx SpecContext) {
		channel := declared(ctx, channelOf("help", "marketing"))
		tied := channel.DeepCopy()
		tied.OwnerReferences = []metav1.OwnerReference{reference(ctx)}
		tie := func(rights ...string) error {
			return as(actor(ctx, rights)).Patch(ctx, tied.DeepCopy(), client.MergeFrom(channel), client.DryRunAll)
		}
		Expect(tie()).To(beRefused("to add an owner reference, and with it a way to be deleted, to channel social-ownership/help " +
			"of team marketing you need the verb release on teams/marketing"))
		Expect(tie("own marketing")).To(beRefused("release on teams/marketing"))
		Expect(tie("release marketing")).To(Succeed())

		tied.ObjectMeta = metav1.ObjectMeta{Namespace: channel.Namespace, Name: "tied", OwnerReferences: tied.OwnerReferences}
		create := func(rights ...string) error {
			return as(actor(ctx, rights)).Create(ctx, tied.DeepCopy(), client.DryRunAll)
		}
		Expect(create("own marketing")).To(beRefused("release on teams/marketing"))
		Expect(create("own marketing", "release marketing")).To(Succeed())
	})

	It("asks for nothing when a tie is cut or changed in kind", func(ctx SpecContext) {
		channel := channelOf("help", "marketing")
		channel.OwnerReferences = []metav1.OwnerReference{reference(ctx)}
		declared(ctx, channel)
		nobody := as(actor(ctx, nil))
		blocking := channel.DeepCopy()
		blocking.OwnerReferences[0].BlockOwnerDeletion = new(false)
		Expect(nobody.Patch(ctx, blocking, client.MergeFrom(channel), client.DryRunAll)).To(Succeed())
		cut := channel.DeepCopy()
		cut.OwnerReferences = nil
		Expect(nobody.Patch(ctx, cut, client.MergeFrom(channel), client.DryRunAll)).To(Succeed())
	})
}

func describeOtherWrites() {
	It("leaves every other change of a channel to those who may edit it", func(ctx SpecContext) {
		channel := heldBy(ctx, declared(ctx, channelOf("help", "customer-care")), "marketing")
		before := channel.DeepCopy()
		channel.Labels = map[string]string{"purpose": "customer-care"}
		channel.Annotations = map[string]string{"example.test/note": "any"}
		channel.Spec.Purpose = "customer-care"
		channel.Spec.Handle = "other.acme.example"
		channel.Spec.DeletionPolicy = v1alpha1.DeletionRevoke
		editor := as(actor(ctx, nil))
		Expect(editor.Update(ctx, channel)).To(Succeed())
		Expect(channel.Generation).To(Equal(before.Generation + 1))
		Expect(editor.Update(ctx, channel)).To(Succeed(), "no change at all")
	})

	It("never stands in the operator's way", func(ctx SpecContext) {
		operator := as(serviceAccount("rostra-manager"))
		channel := declared(ctx, channelOf("help", "customer-care"))
		for _, owner := range []string{"marketing", "customer-care", "product"} {
			heldBy(ctx, channel, owner)
			Expect(channel.Status.Owner).To(Equal(owner))
		}
		before := channel.DeepCopy()
		controllerutil.AddFinalizer(channel, v1alpha1.FinalizerChannel)
		channel.Annotations = map[string]string{"social.rostra.dev/any": "any"}
		Expect(operator.Patch(ctx, channel, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))).To(Succeed())

		By("letting go of one that is being deleted")
		Expect(as(shared.Config()).Delete(ctx, channel)).To(Succeed())
		heldBy(ctx, channel, "marketing")
		removeFinalizer(ctx, operator, channel)
		Expect(as(shared.Config()).Get(ctx, client.ObjectKeyFromObject(channel), channel)).To(MatchError(apierrors.IsNotFound, "is gone"))
	})

	It("does not let the operator move a channel, should it ever want to", func(ctx SpecContext) {
		channel := declared(ctx, channelOf("help", "marketing"))
		moved := channel.DeepCopy()
		moved.Spec.OwnerRef.Name = "customer-care"
		Expect(as(serviceAccount("rostra-manager")).Patch(ctx, moved, client.MergeFrom(channel), client.DryRunAll)).
			To(beRefused("you need the verbs release on teams/marketing and own on teams/customer-care"))
	})
}

func describeApplying() {
	manifest := func(owner string) string {
		return `
apiVersion: social.rostra.dev/v1alpha1
kind: SocialChannel
metadata: {name: applied, namespace: ` + ownershipNamespace + `}
spec:
  platformRef: {name: bluesky}
  handle: applied.acme.example
  ownerRef: {name: ` + owner + `}
  credentials: {sourceSecretRef: {name: applied-source}, delivery: {secretName: applied}}
`
	}
	DescribeTable("tells people who apply manifests what they lack, in one line", func(ctx SpecContext, flags ...string) {
		applyAs := func(owner string, rights ...string) error {
			_, kubeconfig := actorFiles(ctx, rights)
			args := append([]string{"apply", "--kubeconfig=" + kubeconfig, "-f", "-"}, flags...)
			cmd := shared.KubectlCommand(ctx, args...)
			cmd.Stdin = strings.NewReader(manifest(owner))
			if out, err := cmd.CombinedOutput(); err != nil {
				return fmt.Errorf("%w: %s", err, out)
			}
			return nil
		}
		DeferCleanup(func(ctx SpecContext) { kubectl(ctx, "delete", "socialchannel", "applied", "-n", ownershipNamespace) })
		Expect(applyAs("marketing")).To(MatchError(ContainSubstring(
			"to create channel social-ownership/applied for team marketing you need the verb own on teams/marketing: ask somebody")))
		Expect(applyAs("marketing", "own marketing")).To(Succeed())
		Expect(applyAs("marketing")).To(Succeed(), "nothing changes hands")
		Expect(applyAs("customer-care", "own customer-care")).To(MatchError(ContainSubstring(
			`socialchannels.social.rostra.dev "applied" is forbidden: ValidatingAdmissionPolicy 'rostra-channel-ownership' with binding ` +
				`'rostra-channel-ownership' denied request: to move channel social-ownership/applied from team marketing to team ` +
				`customer-care you need the verb release on teams/marketing: ask somebody who has it to make the change, or a cluster ` +
				`administrator to bind you a ClusterRole that grants it` + "\n")))
		Expect(applyAs("customer-care", "release marketing", "own customer-care")).To(Succeed())
		Expect(kubectl(ctx, "get", "socialchannel", "applied", "-n", ownershipNamespace, "-o", "jsonpath={.spec.ownerRef.name}")).
			To(Equal("customer-care"))
	},
		Entry("in the client"),
		// By force, since each apply is another manager's, as when several people apply.
		Entry("in the server", "--server-side", "--force-conflicts"),
	)

	It("can be asked beforehand", func(ctx SpecContext) {
		_, kubeconfig := actorFiles(ctx, []string{"release marketing"})
		ask := func(verb, team string) string {
			out, _ := shared.Kubectl(ctx, "auth", "can-i", "--kubeconfig="+kubeconfig, verb, "teams.social.rostra.dev/"+team)
			return strings.TrimSpace(out)
		}
		Expect(ask("release", "marketing")).To(Equal("yes"))
		Expect(ask("own", "marketing")).To(Equal("no"))
		Expect(ask("release", "customer-care")).To(Equal("no"))
	})
}

func describeExamples() {
	It("has examples that grant what they say", func(ctx SpecContext) {
		examples := filepath.Join(configDir, "components", "ownership-admission", "examples")
		kubectl(ctx, "apply", "--validate=strict", "-k", examples)
		DeferCleanup(func(ctx SpecContext) { kubectl(ctx, "delete", "-k", examples) })
		manager := user("maria", "customer-care-managers")
		flux := user("system:serviceaccount:flux-system:kustomize-controller", "system:serviceaccounts")
		for _, verb := range []string{"own", "release"} {
			Eventually(may).WithArguments(ctx, manager, verb, teams, "", "customer-care").Should(BeTrue())
			Expect(may(ctx, manager, verb, teams, "", "marketing")).To(BeFalse())
			Expect(may(ctx, manager, verb, teams, "", "")).To(BeFalse())
			Eventually(may).WithArguments(ctx, flux, verb, teams, "", "marketing").Should(BeTrue())
		}
		for _, verb := range []string{"get", "update", "patch", "delete"} {
			Expect(may(ctx, manager, verb, teams, "", "customer-care")).To(BeFalse(), verb)
		}
	})
}

func ownershipOverlay() string {
	GinkgoHelper()
	return overlay(map[string]string{"kustomization.yaml": `
resources: [../../../config/default]
components: [../../../config/components/ownership-admission]
`})
}

// typeWarnings are what the API server's type checker has against a policy, or an error while it has not looked yet.
func typeWarnings(ctx SpecContext, name string) ([]string, error) {
	policy, err := admin.AdmissionregistrationV1().ValidatingAdmissionPolicies().Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	if policy.Status.ObservedGeneration != policy.Generation || policy.Status.TypeChecking == nil {
		return nil, fmt.Errorf("policy %s is not checked yet", name)
	}
	var warnings []string
	for _, warning := range policy.Status.TypeChecking.ExpressionWarnings {
		warnings = append(warnings, warning.FieldRef+": "+warning.Warning)
	}
	return warnings, nil
}

// ownershipRoles are the ClusterRoles, but those of actors, that let somebody own or release teams.
func ownershipRoles(ctx SpecContext) []string {
	GinkgoHelper()
	roles, err := admin.RbacV1().ClusterRoles().List(ctx, metav1.ListOptions{})
	Expect(err).NotTo(HaveOccurred())
	has := func(values []string, wanted ...string) bool {
		return slices.ContainsFunc(values, func(value string) bool { return value == "*" || slices.Contains(wanted, value) })
	}
	var names []string
	for _, role := range roles.Items {
		grants := slices.ContainsFunc(role.Rules, func(rule rbacv1.PolicyRule) bool {
			return has(rule.APIGroups, v1alpha1.GroupVersion.Group) && has(rule.Resources, "teams") && has(rule.Verbs, "own", "release")
		})
		if grants && !strings.HasPrefix(role.Name, actorPrefix) {
			names = append(names, role.Name)
		}
	}
	return names
}

// actor is a new user who may edit the channels of the namespace, and has rights on teams such as "release marketing" or,
// on all of them, "own *".
func actor(ctx SpecContext, rights []string) *rest.Config {
	GinkgoHelper()
	config, _ := actorFiles(ctx, rights)
	return config
}

func actorFiles(ctx SpecContext, rights []string) (config *rest.Config, kubeconfig string) {
	GinkgoHelper()
	name := actorPrefix + rand.String(8)
	_, err := admin.RbacV1().RoleBindings(ownershipNamespace).Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "rostra-channel-editor"},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: name}},
	}, metav1.CreateOptions{})
	Expect(err).NotTo(HaveOccurred())
	grant(ctx, name, rights...)
	config, kubeconfig, err = shared.UserConfig(name)
	Expect(err).NotTo(HaveOccurred())
	Eventually(may).WithArguments(ctx, config, "update", channels, ownershipNamespace, "").Should(BeTrue())
	return config, kubeconfig
}

// grant gives a user rights on teams, and returns when they are in force.
func grant(ctx SpecContext, name string, rights ...string) {
	GinkgoHelper()
	if len(rights) == 0 {
		return
	}
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}}
	for _, right := range rights {
		verb, team, _ := strings.Cut(right, " ")
		rule := rbacv1.PolicyRule{APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: []string{"teams"}, Verbs: []string{verb}}
		if team != "*" {
			rule.ResourceNames = []string{team}
		}
		role.Rules = append(role.Rules, rule)
	}
	_, err := admin.RbacV1().ClusterRoles().Create(ctx, role, metav1.CreateOptions{})
	Expect(err).NotTo(HaveOccurred())
	_, err = admin.RbacV1().ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: role.Name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: name}},
	}, metav1.CreateOptions{})
	Expect(err).NotTo(HaveOccurred())
	for _, right := range rights {
		verb, team, _ := strings.Cut(right, " ")
		Eventually(may).WithArguments(ctx, user(name), verb, teams, "", strings.Trim(team, "*")).Should(BeTrue(), right)
	}
}

// as is a client of a user.
func as(config *rest.Config) client.Client {
	GinkgoHelper()
	scheme, err := controllers.NewScheme()
	Expect(err).NotTo(HaveOccurred())
	kube, err := client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	return kube
}

func channelOf(name, owner string) *v1alpha1.SocialChannel {
	return &v1alpha1.SocialChannel{
		ObjectMeta: metav1.ObjectMeta{Namespace: ownershipNamespace, Name: name},
		Spec: v1alpha1.SocialChannelSpec{
			PlatformRef: v1alpha1.ClusterReference{Name: "bluesky"},
			Handle:      "help.acme.example",
			OwnerRef:    v1alpha1.ClusterReference{Name: owner},
			Credentials: v1alpha1.ChannelCredentials{
				SourceSecretRef: v1alpha1.SecretReference{Name: "source"},
				Delivery:        v1alpha1.CredentialDelivery{SecretName: "delivered"},
			},
		},
	}
}

// declared is a channel that is there until the spec is over.
func declared(ctx SpecContext, channel *v1alpha1.SocialChannel) *v1alpha1.SocialChannel {
	GinkgoHelper()
	kube := as(shared.Config())
	Expect(kube.Create(ctx, channel)).To(Succeed())
	DeferCleanup(func(ctx SpecContext) { Expect(client.IgnoreNotFound(kube.Delete(ctx, channel))).To(Succeed()) })
	return channel
}

// heldBy makes a team the effective owner of a channel, as the operator does.
func heldBy(ctx SpecContext, channel *v1alpha1.SocialChannel, owner string) *v1alpha1.SocialChannel {
	GinkgoHelper()
	before := channel.DeepCopy()
	channel.Status.Owner = owner
	Expect(as(serviceAccount("rostra-manager")).Status().Patch(ctx, channel, client.MergeFrom(before))).To(Succeed())
	return channel
}

func removeFinalizer(ctx SpecContext, kube client.Client, channel *v1alpha1.SocialChannel) {
	GinkgoHelper()
	Expect(as(shared.Config()).Get(ctx, client.ObjectKeyFromObject(channel), channel)).To(Succeed())
	before := channel.DeepCopy()
	controllerutil.RemoveFinalizer(channel, v1alpha1.FinalizerChannel)
	Expect(kube.Patch(ctx, channel, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))).To(Succeed())
}

// move asks whether a user may name another owner.
func move(ctx SpecContext, who *rest.Config, channel *v1alpha1.SocialChannel, to string) error {
	GinkgoHelper()
	moved := channel.DeepCopy()
	moved.Spec.OwnerRef.Name = to
	return as(who).Update(ctx, moved, client.DryRunAll)
}

// beRefused is a refusal by the policy, with these words, and not for a mistake in an expression.
func beRefused(words string) types.GomegaMatcher {
	return And(
		MatchError(apierrors.IsForbidden, "is an answer of 403"),
		MatchError(ContainSubstring("ValidatingAdmissionPolicy '"+ownershipPolicy+"'")),
		MatchError(ContainSubstring(words)),
		MatchError(MatchRegexp(`: ask somebody who has (it|them) to make the change, or a cluster administrator to bind you a ClusterRole that grants (it|them)$`)),
	)
}
