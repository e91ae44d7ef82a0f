package gitdir

import (
	"testing"

	"github.com/go-enry/go-enry/v2"
	"github.com/stretchr/testify/require"
)

// TestMemory holds what is remembered by parts of paths against the rules
// applied to whole ones.
func TestMemory(t *testing.T) {
	t.Parallel()
	var l memory
	names := []string{"docs", "vendor", "node_modules", "src", "deps", "cache", "dist", "examples", "Documentation", ".github", "testdata", "Godeps/_workspace", "inst/doc"}
	files := []string{"main.go", "jquery.min.js", "bootstrap.css", "README.md", "a.pb.go", "package-lock.json", "configure", "rebar", "Gopkg.lock", "x.designer.cs"}
	counts := func(path string) bool {
		return !enry.IsVendor(path) && !enry.IsDocumentation(path) && !enry.IsGenerated(path, nil)
	}
	for _, a := range names {
		for _, b := range names {
			for _, c := range names {
				for _, f := range files {
					for _, path := range []string{f, a + "/" + f, a + "/" + b + "/" + f, a + "/" + b + "/" + c + "/" + f, "src/lib/" + a + "/" + b + "/" + c + "/" + f} {
						require.Equal(t, counts(path), l.countedBelow(path), path)
					}
				}
			}
		}
	}
}
