package descriptor

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFixes applies every fix to the text it is for: the problem is gone, and no
// other has come.
func TestFixes(t *testing.T) {
	t.Parallel()
	good := "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: shop\n  namespace: default\n  tags:\n    - java\n  labels:\n    tier: gold\nspec:\n  type: service\n  lifecycle: production\n  owner: team\n"
	require.Empty(t, Decode(File{Content: []byte(good)}).Problems)
	for name, change := range map[string][2]string{
		"name with blanks":     {"name: shop", "name: my shop front"},
		"name with slash":      {"name: shop", "name: shop/front"},
		"quoted name":          {"name: shop", `name: "shop front" # ours`},
		"namespace":            {"namespace: default", "namespace: Team_A"},
		"tag in upper case":    {"- java", "- Java"},
		"tag with blanks":      {"- java", "- Spring Boot"},
		"label value":          {"tier: gold", "tier: gold and silver"},
		"misspelled root":      {"metadata:", "metdata:"},
		"misspelled kind":      {"kind: Component", "kind: Componnent"},
		"with Windows's ends":  {"name: shop", "name: my shop\r"},
		"in a second document": {"apiVersion: backstage", "---\napiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: x, tags: [Bad Tag]}\nspec: {type: a, lifecycle: b, owner: c}\n---\napiVersion: backstage"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(good, change[0], change[1], 1)
			require.NotEqual(t, good, text)
			fixed := 0
			for range 5 {
				problems := Decode(File{Content: []byte(text)}).Problems
				if len(problems) == 0 {
					break
				}
				lines := strings.Split(text, "\n")
				applied := false
				for _, p := range problems {
					if p.Fix.Line == 0 {
						continue
					}
					require.Equal(t, p.Line, p.Fix.Line)
					require.Equal(t, strings.TrimRight(lines[p.Fix.Line-1], "\r"), p.Fix.Found)
					lines[p.Fix.Line-1] = p.Fix.Replacement
					applied = true
					fixed++
					break
				}
				require.True(t, applied, "no fix for %v", problems)
				text = strings.Join(lines, "\n")
			}
			require.Empty(t, Decode(File{Content: []byte(text)}).Problems, text)
			require.Positive(t, fixed)
		})
	}
}
