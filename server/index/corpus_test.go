package index

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/waypost-dev/waypost/server/catalog"
)

// corpus makes a catalog of about the given size in the proportions of a real
// organisation: components, APIs, resources, systems, groups and users, about
// two kilobytes of JSON each. The same size gives the same catalog.
func corpus(t testing.TB, size int) []*catalog.Entity {
	t.Helper()
	corpora.Lock()
	defer corpora.Unlock()
	if c := corpora.made[size]; c != nil {
		return c
	}
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(s []string) string { return s[r.IntN(len(s))] }
	topics := strings.Fields("payment order invoice shipping user account catalog search cart checkout loyalty fraud ledger billing refund inventory warehouse pricing promo email push session identity profile image video report metrics audit event stream gateway proxy cache queue scheduler export import sync feed ranking geo tax currency")
	roles := strings.Fields("service api worker web lib job adapter gateway frontend sdk")
	tags := strings.Fields("java go python typescript kotlin rust react kafka grpc rest graphql postgres mysql redis aws gcp k8s terraform pci gdpr legacy ml data mobile ios android")
	words := func(n int) string {
		out := make([]string, n)
		for i := range out {
			out[i] = pick(topics)
		}
		return strings.Join(out, " ")
	}
	some := func(n int) []any {
		var out []any
		for range n {
			if tag := pick(tags); !strings.Contains(fmt.Sprint(out), tag) {
				out = append(out, tag)
			}
		}
		return out
	}
	count := func(share float64) int { return max(1, int(share*float64(size))) }
	groups, users, systems, apis, resources := count(0.013), count(0.129), count(0.02), count(0.129), count(0.064)
	components := size - groups - users - systems - apis - resources
	out := make([]*catalog.Entity, 0, size)
	add := func(kind, name string, metadata, spec map[string]any) {
		metadata["name"] = name
		e, found := catalog.NewEntity("backstage.io/v1alpha1", kind, metadata, spec, catalog.Origin{Source: "test", Path: "catalog-info.yaml"})
		if e == nil {
			t.Fatal(found)
		}
		e.UID = fmt.Sprintf("00000000-0000-4000-8000-%012d", len(out))
		out = append(out, e)
	}
	owner := func() string { return fmt.Sprintf("group:default/team-%04d", min(r.IntN(groups), r.IntN(groups))) }
	system := func() string { return fmt.Sprintf("system-%04d", r.IntN(systems)) }
	for i := range groups {
		spec := map[string]any{"type": "team", "children": []any{}, "profile": map[string]any{"displayName": "Team " + pick(topics)}}
		if i >= 10 {
			spec["parent"] = fmt.Sprintf("team-%04d", i%10)
		}
		add("Group", fmt.Sprintf("team-%04d", i), map[string]any{"description": words(6)}, spec)
	}
	for i := range users {
		add("User", fmt.Sprintf("user-%05d", i), map[string]any{}, map[string]any{"memberOf": []any{fmt.Sprintf("team-%04d", r.IntN(groups))}, "profile": map[string]any{"displayName": "Ada " + pick(topics), "email": fmt.Sprintf("u%d@example.com", i)}})
	}
	for i := range systems {
		add("System", fmt.Sprintf("system-%04d", i), map[string]any{"title": words(2) + " system", "description": words(10), "tags": some(2)}, map[string]any{"owner": owner()})
	}
	for i := range resources {
		add("Resource", fmt.Sprintf("db-%05d", i), map[string]any{"description": words(8), "tags": some(2)}, map[string]any{"type": pick([]string{"database", "cache", "topic"}), "owner": owner(), "system": system()})
	}
	for i := range apis {
		add("API", fmt.Sprintf("api-%05d", i), map[string]any{"description": words(10), "tags": some(3)}, map[string]any{"type": pick([]string{"openapi", "grpc"}), "lifecycle": "production", "owner": owner(), "system": system(), "definition": strings.Repeat("get: summary of "+words(5)+"\n", 60)})
	}
	for i := range components {
		name := fmt.Sprintf("%s-%s-%05d", pick(topics), pick(roles), i)
		spec := map[string]any{"type": pick([]string{"service", "service", "website", "library", "job"}), "lifecycle": pick([]string{"production", "production", "experimental", "deprecated"}), "owner": owner(), "system": system(),
			"dependsOn": []any{fmt.Sprintf("resource:default/db-%05d", r.IntN(resources))}, "consumesApis": []any{fmt.Sprintf("api-%05d", r.IntN(apis)), fmt.Sprintf("api-%05d", r.IntN(apis))}}
		add("Component", name, map[string]any{"title": words(2) + fmt.Sprint(" ", i), "description": words(12), "tags": some(1 + r.IntN(5)),
			"labels":      map[string]any{"example.com/tier": pick([]string{"1", "2", "3"}), "example.com/region": pick([]string{"eu-west-1", "us-east-1"})},
			"annotations": map[string]any{"github.com/project-slug": "acme/" + name, "backstage.io/source-location": "url:https://github.com/acme/" + name + "/tree/main/", "backstage.io/techdocs-ref": "dir:.", "pagerduty.com/integration-key": fmt.Sprintf("pd%08d", i), "example.com/note": strings.Repeat("x", 800)},
			"links":       []any{map[string]any{"url": "https://dash.example.com/d/" + name, "title": "Dashboard"}, map[string]any{"url": "https://runbooks.example.com/" + name, "title": "Runbook"}},
		}, spec)
	}
	if corpora.made == nil {
		corpora.made = map[int][]*catalog.Entity{}
	}
	corpora.made[size] = out
	return out
}

var corpora struct {
	sync.Mutex
	made map[int][]*catalog.Entity
}
