// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

// callTimeout bounds each call to the API server.
const callTimeout = 30 * time.Second

// cluster is a Kubernetes API.
type cluster struct {
	reader client.Reader
	// namespace that the kubeconfig, or --namespace, names.
	namespace string
}

// connect gives the cluster that the flags name. It calls nobody yet.
func connect(f *sourceFlags) (source, error) {
	reader, namespace, err := dial(f)
	if err != nil {
		return nil, err
	}
	return &cluster{reader, namespace}, nil
}

// clusterConfig finds the cluster that the flags name, and the namespace that is
// meant where none is named.
func clusterConfig(f *sourceFlags) (*rest.Config, string, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = f.kubeconfig
	overrides := &clientcmd.ConfigOverrides{CurrentContext: f.context}
	overrides.Context.Namespace = f.namespace
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides)
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, "", fmt.Errorf("find the cluster: %w", err)
	}
	namespace, _, err := loader.Namespace()
	if err != nil {
		return nil, "", fmt.Errorf("find the namespace: %w", err)
	}
	config.Timeout = callTimeout
	config.QPS = -1 // a handful of calls
	return config, namespace, nil
}

// dial makes a client of the cluster that the flags name, and gives the
// namespace that is meant where none is named.
func dial(f *sourceFlags) (client.Client, string, error) {
	config, namespace, err := clusterConfig(f)
	if err != nil {
		return nil, "", fmt.Errorf("%w; give manifests with -f, or a cluster with --kubeconfig", err)
	}
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, "", err
	}
	found, err := client.New(config, client.Options{Scheme: scheme, Mapper: mapper()})
	if err != nil {
		return nil, "", fmt.Errorf("reach the cluster: %w", err)
	}
	return found, namespace, nil
}

// mapper knows the kinds that are read, so that the server need not be asked.
func mapper() meta.RESTMapper {
	known := meta.NewDefaultRESTMapper([]schema.GroupVersion{v1alpha1.GroupVersion})
	for _, kind := range []string{"EscalationRoute", "ResponderRota", "RotaOverride", "SocialChannel"} {
		known.Add(v1alpha1.GroupVersion.WithKind(kind), meta.RESTScopeNamespace)
	}
	for _, kind := range []string{"SocialPlatform", "Team"} {
		known.Add(v1alpha1.GroupVersion.WithKind(kind), meta.RESTScopeRoot)
	}
	return known
}

func (c *cluster) rota(ctx context.Context, name objectName) (*v1alpha1.ResponderRota, *inventory, error) {
	found := newInventory()
	rota, err := c.readRota(ctx, c.complete(name), found)
	if err != nil {
		return nil, nil, fmt.Errorf("read ResponderRota %s: %w", c.complete(name), err)
	}
	return rota, found, nil
}

func (c *cluster) channels(ctx context.Context, name objectName, everywhere bool) (*inventory, error) {
	found := newInventory()
	if name.name == "" {
		return found, c.readAll(ctx, everywhere, found)
	}
	name = c.complete(name)
	channel := v1alpha1.SocialChannel{}
	if err := c.reader.Get(ctx, client.ObjectKey{Namespace: name.namespace, Name: name.name}, &channel); err != nil {
		return nil, fmt.Errorf("read SocialChannel %s: %w", name, err)
	}
	found.channels = append(found.channels, channel)
	if channel.Spec.ResponderRotaRef == nil {
		return found, nil
	}
	rota := objectName{name.namespace, channel.Spec.ResponderRotaRef.Name}
	if _, err := c.readRota(ctx, rota, found); err != nil && !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("read ResponderRota %s: %w", rota, err)
	}
	return found, nil
}

// readRota reads one rota, its overrides, and the teams that they name.
func (c *cluster) readRota(ctx context.Context, name objectName, into *inventory) (*v1alpha1.ResponderRota, error) {
	rota := &v1alpha1.ResponderRota{}
	if err := c.reader.Get(ctx, client.ObjectKey{Namespace: name.namespace, Name: name.name}, rota); err != nil {
		return nil, err
	}
	into.rotas[name] = rota
	overrides := v1alpha1.RotaOverrideList{}
	if err := c.reader.List(ctx, &overrides, client.InNamespace(name.namespace)); err != nil {
		return nil, err
	}
	into.overrides = overrides.Items
	var teams []string
	for i := range rota.Spec.Layers {
		teams = append(teams, rota.Spec.Layers[i].TeamRef.Name)
	}
	for i := range overrides.Items {
		if spec := overrides.Items[i].Spec; spec.ResponderRotaRef.Name == name.name {
			teams = append(teams, spec.TeamRef.Name)
		}
	}
	return rota, c.readTeams(ctx, teams, into)
}

func (c *cluster) readTeams(ctx context.Context, names []string, into *inventory) error {
	asked := map[string]bool{}
	for _, name := range names {
		if asked[name] || into.teams[name] != nil {
			continue
		}
		asked[name] = true
		team := &v1alpha1.Team{}
		err := c.reader.Get(ctx, client.ObjectKey{Name: name}, team)
		if apierrors.IsNotFound(err) {
			continue // the rota says so itself
		}
		if err != nil {
			return fmt.Errorf("read Team %s: %w", name, err)
		}
		into.teams[name] = team
	}
	return nil
}

// readAll reads the channels of the namespace, or of all of them, and every
// rota, override and team beside them.
func (c *cluster) readAll(ctx context.Context, everywhere bool, into *inventory) error {
	where := client.InNamespace(c.namespace)
	if everywhere {
		where = ""
	}
	channels, rotas := v1alpha1.SocialChannelList{}, v1alpha1.ResponderRotaList{}
	overrides, teams := v1alpha1.RotaOverrideList{}, v1alpha1.TeamList{}
	for _, list := range []client.ObjectList{&channels, &rotas, &overrides} {
		if err := c.reader.List(ctx, list, where); err != nil {
			return fmt.Errorf("read the channels and their rotas: %w", err)
		}
	}
	if err := c.reader.List(ctx, &teams); err != nil {
		return fmt.Errorf("read the teams: %w", err)
	}
	slices.SortFunc(channels.Items, func(a, b v1alpha1.SocialChannel) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	into.channels, into.overrides = channels.Items, overrides.Items
	for i := range rotas.Items {
		into.rotas[objectName{rotas.Items[i].Namespace, rotas.Items[i].Name}] = &rotas.Items[i]
	}
	for i := range teams.Items {
		into.teams[teams.Items[i].Name] = &teams.Items[i]
	}
	return nil
}

func (c *cluster) complete(name objectName) objectName {
	if name.namespace == "" {
		name.namespace = c.namespace
	}
	return name
}

func newInventory() *inventory {
	return &inventory{
		teams: map[string]*v1alpha1.Team{}, rotas: map[objectName]*v1alpha1.ResponderRota{}, routes: map[objectName]*v1alpha1.EscalationRoute{},
	}
}
