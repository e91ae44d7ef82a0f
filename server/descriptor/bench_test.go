package descriptor

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// hundred is a file of 100 entities such as a large organisation has them.
func hundred() []byte {
	var b strings.Builder
	for i := range 100 {
		fmt.Fprintf(&b, `---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: checkout-%03d
  title: "Checkout %d"
  description: "takes what is in the basket, asks for an address and hands over to the payment"
  labels:
    "acme.example/tier": "%d"
    "acme.example/region": "eu-west-1"
  annotations:
    "backstage.io/techdocs-ref": "dir:."
    "github.com/project-slug": "acme/checkout-%03d"
    "pagerduty.com/integration-key": "k%08d"
    "sonarqube.org/project-key": "acme_checkout-%03d"
  tags:
    - "go"
    - "grpc"
    - "pci"
  links:
    - {"url":"https://dash.acme.example/d/checkout-%03d","title":"Dashboard","icon":"dashboard"}
    - {"url":"https://runbooks.acme.example/checkout-%03d","title":"Runbook"}
spec:
  type: service
  lifecycle: production
  owner: group:default/team-%02d
  system: shop
  providesApis:
    - checkout-api-%03d
  dependsOn:
    - "component:default/basket-%03d"
    - "resource:default/orders-%03d"
`, i, i, i%3, i, i, i, i, i, i%20, i, i, i)
	}
	return []byte(b.String())
}

func BenchmarkDecode(b *testing.B) {
	f := File{
		Source: "github:acme", Repository: "acme/shop", Path: "catalog-info.yaml", Content: hundred(),
		Location: "url:https://github.com/acme/shop/blob/main/catalog-info.yaml", View: "https://github.com/acme/shop/blob/main/catalog-info.yaml",
		Edit: "https://github.com/acme/shop/edit/main/catalog-info.yaml", SourceLocation: "url:https://github.com/acme/shop/tree/main/",
	}
	b.SetBytes(int64(len(f.Content)))
	b.ReportAllocs()
	for b.Loop() {
		if d := Decode(f); len(d.Entities) != 100 || len(d.Problems) != 0 {
			b.Fatal(len(d.Entities), d.Problems)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(100*b.N), "ns/entity")
}

// BenchmarkDecodeFolder decodes every YAML file of the folder in
// WAYPOST_BENCH_DIR.
func BenchmarkDecodeFolder(b *testing.B) {
	dir := os.Getenv("WAYPOST_BENCH_DIR")
	if dir == "" {
		b.Skip("WAYPOST_BENCH_DIR names no folder")
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	require.NoError(b, err)
	var files []File
	size, entities := 0, 0
	for _, path := range paths {
		content, err := os.ReadFile(path)
		require.NoError(b, err)
		files = append(files, File{Path: filepath.Base(path), Content: content, Location: "file:" + filepath.Base(path)})
		size += len(content)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		entities = 0
		for _, f := range files {
			entities += len(Decode(f).Entities)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(entities*b.N), "ns/entity")
	b.ReportMetric(float64(entities), "entities")
}
