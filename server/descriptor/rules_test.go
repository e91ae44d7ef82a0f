package descriptor

import (
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestRules decodes each file of testdata/rules and holds what is told of it
// against the golden file beside it: every broken rule, at its place.
func TestRules(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob(filepath.Join("testdata", "rules", "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			d := Decode(File{
				Source: "dir:/srv", Repository: "acme/shop", Commit: "c0ffee", Path: filepath.Base(path), Content: content,
				Location: "url:https://git.example/acme/shop/blob/main/x.yaml", View: "https://git.example/view", SourceLocation: "url:https://git.example/acme/shop/tree/main/",
			})
			var b strings.Builder
			for _, p := range d.Problems {
				require.Equal(t, "acme/shop", p.Repository)
				require.NotEmpty(t, p.Hint, p.Message)
				p.Repository = ""
				b.WriteString(string(p.Severity) + " " + string(p.Code) + " [" + p.Entity + "] " + p.Field + "\n  " + p.Error() + "\n")
			}
			for _, e := range d.Entities {
				b.WriteString(e.Ref.String() + " at line " + strconv.Itoa(e.Origin.Line) + "\n  " + string(e.Document) + "\n")
				for _, r := range e.Relations {
					b.WriteString("  " + r.Field + " (" + strconv.Itoa(r.Line) + ":" + strconv.Itoa(r.Column) + ") " + r.Type + " " + r.Target.String() + "\n")
				}
			}
			golden := strings.TrimSuffix(path, ".yaml") + ".golden"
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(b.String()), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), b.String())
		})
	}
}

// TestBackstageFixtures: the files that a real Backstage was fed with for its
// recorded replies, and what it made of them.
func TestBackstageFixtures(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(shared, "backstage-golden")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("SKIPPED: the recorded replies of ../shared/backstage-golden are not here")
	}
	for path, want := range map[string]struct {
		entities int
		problems []string // place, code
	}{
		"catalog/all.yaml":         {3, nil},
		"catalog/apis.yaml":        {2, nil},
		"catalog/components.yaml":  {6, nil},
		"catalog/resources.yaml":   {2, nil},
		"catalog/forbidden.yaml":   {2, []string{"3:7 unknown-kind"}}, // forbidden there by a rule of that instance
		"catalog/invalid.yaml":     {2, []string{"6:1 spec"}},         // the others fail there only beside other files
		"catalog/org.yaml":         {7, nil},
		"catalog/systems.yaml":     {4, nil},
		"catalog/templates.yaml":   {1, nil},
		"remote/catalog-info.yaml": {2, nil},
		"remote/other.yaml":        {2, nil},
		"remote/bad.yaml":          {0, []string{"3:18 field", "4:1 spec", "4:1 spec", "4:1 spec"}},
	} {
		content, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(path)))
		require.NoError(t, err)
		d := Decode(File{Path: path, Content: content})
		var problems []string
		for _, p := range d.Problems {
			problems = append(problems, strconv.Itoa(p.Line)+":"+strconv.Itoa(p.Column)+" "+string(p.Code))
		}
		if len(d.Entities) != want.entities || strings.Join(problems, ",") != strings.Join(want.problems, ",") {
			t.Errorf("%s: %d entities, problems: %q%s", path, len(d.Entities), problems, problemText(d.Problems))
		}
	}
}

// A kind that is not allowed takes no other with it.
func TestAllow(t *testing.T) {
	t.Parallel()
	const doc = "apiVersion: backstage.io/v1alpha1\nkind: KIND\nmetadata: {name: x}\nspec: {type: team, children: [], lifecycle: x, owner: y}\n"
	f := File{Path: "c.yaml", Allow: []string{"component", "API"}, Content: []byte(strings.ReplaceAll(doc, "KIND", "Group") + "---\n" + strings.ReplaceAll(doc, "KIND", "Component"))}
	d := Decode(f)
	require.Len(t, d.Entities, 1)
	require.Equal(t, "component:default/x", d.Entities[0].Ref.Key())
	require.Len(t, d.Problems, 1)
	require.Equal(t, "c.yaml:2:7: entities of kind Group may not be declared here; allowed are component, API; move it, or add the kind to allow in the server's configuration", d.Problems[0].Error())
	require.Equal(t, catalog.CodeNotAllowed, d.Problems[0].Code)
	f.Allow = nil
	require.Len(t, Decode(f).Entities, 2)
}

func TestCustomKinds(t *testing.T) {
	t.Parallel()
	schema := `{"type": "object", "properties": {"spec": {"type": "object", "required": ["tier"], "properties": {"tier": {"type": "integer", "maximum": 3}}}}}`
	var schemas catalog.Schemas
	require.NoError(t, schemas.Register("acme.example/v1", "Gadget", []byte(schema)))
	require.ErrorContains(t, schemas.Register("backstage.io/v1alpha1", "Component", []byte(schema)), "built in")
	require.ErrorContains(t, schemas.Register("acme.example/v1", "Other", []byte(`{"type": 3}`)), "Other")
	require.Error(t, schemas.Register("acme.example/v1", "Other", []byte(`{"$ref": "file:///etc/passwd"}`)))
	gadget := func(spec string) Decoded {
		return Decode(File{Path: "x.yaml", Schemas: &schemas, Content: []byte("apiVersion: acme.example/v1\nkind: Gadget\nmetadata:\n  name: g\nspec:\n  owner: team-a\n  " + spec + "\n")})
	}
	d := gadget("tier: 2")
	require.Empty(t, d.Problems)
	require.Len(t, d.Entities, 1)
	require.Equal(t, "group:default/team-a", d.Entities[0].Relations[0].Target.String())
	d = gadget("tier: 7")
	require.Empty(t, d.Entities)
	require.Len(t, d.Problems, 1)
	require.Equal(t, "spec.tier", d.Problems[0].Field)
	require.Equal(t, 7, d.Problems[0].Line)
	require.Equal(t, catalog.CodeSpec, d.Problems[0].Code)
	d = gadget("colour: red")
	require.Empty(t, d.Entities)
	require.Contains(t, d.Problems[0].Message, "tier")
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(good("a") + "---\n" + good("b")))
	f.Add([]byte(bomb(3)))
	f.Add([]byte("%YAML 1.2\n--- {a: &x [1, *x], ? [b] : c, <<: {d: e}}\n...\n"))
	f.Add([]byte("a: |\n  x\n---\n\tb\n"))
	f.Add([]byte("apiVersion: v1\nkind: K\nmetadata: {name: n, tags: [a, B], links: [{url: x}], labels: {a/b: 'c d'}}\nspec: {owner: ':', 1.5: 0x1F, ~: .inf}\n"))
	paths, _ := filepath.Glob(filepath.Join("testdata", "rules", "*.yaml"))
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		d := Decode(File{Path: "x.yaml", Content: content, Location: "url:https://git.example/x.yaml"})
		lines := strings.Count(string(content), "\n") + 1
		for _, p := range d.Problems {
			if p.Line < 0 || p.Line > lines+1 || p.Message == "" || p.Hint == "" {
				t.Fatalf("%#v of %d lines", p, lines)
			}
		}
		for _, e := range d.Entities {
			if e.Origin.Line < 1 || e.Origin.Line > lines {
				t.Fatalf("%v at line %d of %d", e.Ref, e.Origin.Line, lines)
			}
			if e.Text("metadata.name") != e.Ref.Name || e.Text("metadata.namespace") != e.Ref.Namespace || e.Text("kind") != e.Ref.Kind {
				t.Fatalf("%v is %s", e.Ref, e.Document)
			}
			if e.Annotation("backstage.io/managed-by-location") != "url:https://git.example/x.yaml" {
				t.Fatalf("%s", e.Document)
			}
			// A document is YAML itself, and says the same when read again.
			again := Decode(File{Path: "x.yaml", Content: e.Document, Location: "url:https://git.example/x.yaml"})
			if len(again.Entities) != 1 || again.Entities[0].Hash() != e.Hash() {
				t.Fatalf("%s\n%v", e.Document, again)
			}
		}
	})
}
