package show

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/output"
)

var now = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func shop(t *testing.T) *catalogv1.Entity {
	spec, err := structpb.NewStruct(map[string]any{"type": "service", "lifecycle": "production", "owner": "payments"})
	require.NoError(t, err)
	return &catalogv1.Entity{
		Name: "entities/component:default/shop", Uid: "u-1", Revision: 7, UpdateTime: timestamppb.New(now.Add(-90 * time.Minute)),
		ApiVersion: "backstage.io/v1alpha1", Kind: "Component",
		Metadata: &catalogv1.Metadata{
			Name: "shop", Title: "The shop\x1b[2J", Tags: []string{"go", "web"},
			Annotations: map[string]string{"b": "2", "a": "1"}, Links: []*catalogv1.Link{{Url: "https://shop.example", Title: "Live"}},
		},
		Spec: spec,
		Relations: []*catalogv1.Relation{
			{Type: "ownedBy", TargetRef: "group:default/payments", TargetExists: true},
			{Type: "ownedBy", TargetRef: "user:finance/ada"},
			{Type: "partOf", TargetRef: "system:default/retail", TargetExists: true},
			{Type: "partOf", TargetRef: "component:default/mall", TargetExists: true},
		},
		Origin: &catalogv1.Origin{Source: "github:acme", Repository: "acme/shop", Path: "catalog-info.yaml", Line: 3, Commit: "0123456789abcdef"},
	}
}

func printed(t *testing.T, print func(*output.Printer) error) string {
	var out bytes.Buffer
	require.NoError(t, print(&output.Printer{Writer: &out}))
	return out.String()
}

func TestTable(t *testing.T) {
	t.Parallel()
	e := shop(t)
	require.Equal(t, ""+
		"NAME  TYPE     LIFECYCLE   OWNER                      SYSTEM  TITLE\n"+
		"shop  service  production  payments,user:finance/ada  retail  The shop\uFFFD[2J\n",
		printed(t, func(p *output.Printer) error { return Table(p, []*catalogv1.Entity{e}, "Component", false, now) }))
	wide := printed(t, func(p *output.Printer) error { return Table(p, []*catalogv1.Entity{e}, "", true, now) })
	for _, want := range []string{"component:shop", "go,web", "acme/shop/catalog-info.yaml:3", "github:acme", "1h"} {
		require.Contains(t, wide, want)
	}
	// Empty columns go.
	require.Equal(t, "NAME\nuser:ada\n", printed(t, func(p *output.Printer) error {
		return Table(p, []*catalogv1.Entity{{Name: "entities/user:default/ada"}}, "", false, now)
	}))
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	got := printed(t, func(p *output.Printer) error {
		return Describe(p, shop(t), []catalog.Problem{{Code: catalog.CodeDangling, Severity: catalog.SeverityWarning, Path: "catalog-info.yaml", Line: 9, Message: "user:finance/ada does not exist"}})
	})
	require.Equal(t, `Entity:      component:default/shop
Kind:        Component (backstage.io/v1alpha1)
Title:       The shop`+"\uFFFD"+`[2J
Owner:       payments,user:finance/ada
System:      retail
Type:        service
Lifecycle:   production
Tags:        go, web
Declared in: acme/shop/catalog-info.yaml:3 at 0123456789ab
Source:      github:acme
Changed:     2026-11-01T10:30:00Z, revision 7
UID:         u-1

Relations
  ownedBy        group:default/payments
                 user:finance/ada (does not exist)
  partOf         system:default/retail
                 component:default/mall

Links
  Live https://shop.example

Annotations
  a: 1
  b: 2

Spec
  lifecycle: production
  owner: payments
  type: service

Problems
SEVERITY  CODE               PLACE                MESSAGE
warning   dangling-relation  catalog-info.yaml:9  user:finance/ada does not exist
`, got)
}

func TestPlace(t *testing.T) {
	t.Parallel()
	require.Equal(t, "acme/old (inferred)", Place(&catalogv1.Origin{Repository: "acme/old", Inferred: true}))
	require.Equal(t, "a.yaml", Place(&catalogv1.Origin{Path: "a.yaml"}))
	require.Empty(t, Place(nil))
}

func graph() *catalogv1.GetGraphResponse {
	node := func(ref string, distance int32, exists bool) *catalogv1.GraphNode {
		return &catalogv1.GraphNode{Ref: ref, Distance: distance, Exists: exists}
	}
	edge := func(from, relation, to string) *catalogv1.GraphEdge {
		return &catalogv1.GraphEdge{SourceRef: from, Type: relation, TargetRef: to}
	}
	g := &catalogv1.GetGraphResponse{
		Nodes: []*catalogv1.GraphNode{
			node("component:default/shop", 0, true), node("component:default/cart", 1, true), node("group:default/payments", 1, true),
			node("component:default/web", 1, true), node("resource:default/db", 2, false), node("system:default/retail", 2, true),
		},
		Edges: []*catalogv1.GraphEdge{
			edge("component:default/shop", "dependsOn", "component:default/cart"),
			edge("component:default/shop", "ownedBy", "group:default/payments"),
			edge("component:default/cart", "ownedBy", "group:default/payments"), // as far from the root
			edge("component:default/web", "dependsOn", "component:default/shop"),
			edge("component:default/cart", "dependsOn", "resource:default/db"),
			edge("component:default/web", "partOf", "system:default/retail"),
			edge("component:default/cart", "partOf", "system:default/retail"),
			edge("system:default/retail", "custom", "system:default/retail"),
		},
	}
	g.Nodes[0].Title = `The "shop" <b>`
	return g
}

func TestTree(t *testing.T) {
	t.Parallel()
	require.Equal(t, `component:default/shop
├─ dependencyOf component:default/web
│  └─ partOf system:default/retail
│     └─ custom system:default/retail
├─ dependsOn component:default/cart
│  ├─ dependsOn resource:default/db (does not exist)
│  ├─ ownedBy group:default/payments
│  └─ partOf system:default/retail (above)
└─ ownedBy group:default/payments
`, printed(t, func(p *output.Printer) error { return Tree(p, graph()) }))
}

func TestMermaidAndDot(t *testing.T) {
	t.Parallel()
	m := printed(t, func(p *output.Printer) error { return Mermaid(p, graph()) })
	require.True(t, strings.HasPrefix(m, "flowchart LR\n"))
	require.Contains(t, m, `n0["component:shop (The #34;shop#34; #60;b#62;)"]`)
	require.Contains(t, m, `n0 -->|"dependsOn"| n1`)
	require.Contains(t, m, "class n4 missing")

	d := printed(t, func(p *output.Printer) error { return Dot(p, graph()) })
	require.Contains(t, d, `"component:default/shop" [label="component:shop (The \"shop\" <b>)"];`)
	require.Contains(t, d, `"resource:default/db" [label="resource:db", style=dashed];`)
	require.Contains(t, d, `"component:default/cart" -> "resource:default/db" [label="dependsOn"];`)
}

// The types walked inward are the other ends of those walked outward.
func TestInward(t *testing.T) {
	t.Parallel()
	for i, relation := range Inward() {
		require.Equal(t, Outward[i], catalog.Inverse(relation))
	}
}
