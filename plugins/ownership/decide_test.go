package ownership

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waypost-dev/waypost/server/catalog"
)

// claimed reads a claim: source, owner, and flags: missing, empty, one, unfit,
// weak (a confidence below what activity needs), nobody.
func claimed(t *testing.T, line string) claim {
	t.Helper()
	words := strings.Fields(line)
	require.GreaterOrEqual(t, len(words), 2, line)
	c := claim{Source: Source(words[0]), Owner: ref("group", words[1]), Exists: true, Members: 2, Confidence: Confidence(Source(words[0]))}
	for _, flag := range words[2:] {
		switch flag {
		case "missing":
			c.Exists, c.Members = false, -1
		case "empty":
			c.Members = 0
		case "one":
			c.Members = 1
		case "unknown":
			c.Members = -1
		case "unfit":
			c.Unfit = "it is unfit"
		case "weak":
			c.Confidence = 0.79
		case "nobody":
			c.Owner, c.Exists, c.Members = catalog.Ref{}, false, -1
		default:
			t.Fatalf("unknown flag %s", flag)
		}
	}
	return c
}

func TestPrecedence(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		claims string // separated by ;
		rules  rules
		split  bool
		want   string // owner source status
		also   string
	}{
		{claims: "", want: "- none unowned"},
		// Each source wins over the next.
		{claims: "override a; declared b; codeowners c; property d; inherited e; permission f; activity g; paging h; default i", want: "a override owned"},
		{claims: "declared b; codeowners c; property d; inherited e; permission f; activity g; paging h; default i", want: "b declared owned"},
		{claims: "codeowners c; property d; inherited e; permission f; activity g; paging h; default i", want: "c codeowners owned"},
		{claims: "property d; inherited e; permission f; activity g; paging h; default i", want: "d property owned"},
		{claims: "inherited e; permission f; activity g; paging h; default i", want: "e inherited owned"},
		{claims: "permission f; activity g; paging h; default i", want: "f permission owned"},
		{claims: "activity g; paging h; default i", want: "h paging owned"},
		{claims: "activity g; paging h; default i", rules: rules{AutoApply: true}, want: "g activity owned"},
		{claims: "activity g weak; paging h; default i", rules: rules{AutoApply: true}, want: "h paging owned"},
		{claims: "paging h; default i", want: "h paging owned"},
		{claims: "default i", want: "i default owned"},
		{claims: "default i missing", want: "- none unowned"},
		// In whatever order they come.
		{claims: "default i; paging h; codeowners c; declared b", want: "b declared owned"},
		// What is declared and missing is told, and the next one counts.
		{claims: "declared b missing", want: "- none dangling"},
		{claims: "declared b missing; codeowners c", want: "c codeowners dangling"},
		{claims: "declared b missing; codeowners c missing; property d", want: "d property dangling"},
		{claims: "override a; declared b missing", want: "a override dangling"},
		{claims: "override a missing; declared b", want: "b declared owned"},
		{claims: "declared nobody nobody; property d", want: "d property dangling"},
		// No inference wins over a declaration, not even of an empty group.
		{claims: "declared b empty; codeowners c", want: "b declared disbanded"},
		{claims: "override a empty; declared b", want: "a override disbanded"},
		{claims: "codeowners c empty; property d", want: "d property owned"},
		{claims: "codeowners c empty", want: "- none unowned"},
		{claims: "declared b unknown", want: "b declared owned"},
		{claims: "codeowners c unknown", want: "c codeowners owned"},
		{claims: "declared b one", want: "b declared single-person"},
		// Within a source the first one that fits counts.
		{claims: "codeowners c missing; codeowners d; codeowners e", want: "d codeowners owned"},
		{claims: "permission f unfit; permission g", want: "g permission owned"},
		{claims: "inherited e missing; inherited f", want: "f inherited owned"},
		{claims: "codeowners nobody nobody; permission f", want: "f permission owned"},
		// Split is told unless something higher decides.
		{claims: "codeowners c unfit; codeowners d unfit", split: true, want: "- none split"},
		{claims: "codeowners c unfit; inherited e", split: true, want: "e inherited split"},
		{claims: "declared b; codeowners c unfit", split: true, want: "b declared owned"},
		// Inheritance.
		{claims: "declared b; inherited e", rules: rules{Inheritance: Fallback}, want: "b declared owned"},
		{claims: "declared b; inherited e; inherited f", rules: rules{Inheritance: Append}, want: "b declared owned", also: "e"},
		{claims: "declared b; inherited e missing; inherited f", rules: rules{Inheritance: Append}, want: "b declared owned", also: "f"},
		{claims: "declared b; inherited b; inherited f", rules: rules{Inheritance: Append}, want: "b declared owned"},
		{claims: "inherited e; inherited f", rules: rules{Inheritance: Append}, want: "e inherited owned"},
		{claims: "inherited e; permission f", rules: rules{Inheritance: NoInheritance}, want: "f permission owned"},
		{claims: "declared b missing; inherited e", rules: rules{Inheritance: NoInheritance}, want: "- none dangling"},
	} {
		t.Run(c.claims+" "+string(c.rules.Inheritance), func(t *testing.T) {
			t.Parallel()
			g := gathered{Split: c.split}
			for line := range strings.SplitSeq(c.claims, ";") {
				if strings.TrimSpace(line) != "" {
					g.Claims = append(g.Claims, claimed(t, line))
				}
			}
			o := decide(g, c.rules)
			sound(t, &o)
			owner := "-"
			if !o.Owner.IsZero() {
				owner = o.Owner.Name
			}
			require.Equal(t, c.want, owner+" "+string(o.Source)+" "+string(o.Status))
			also := ""
			for _, a := range o.Additional {
				also += a.Name
			}
			require.Equal(t, c.also, also)
			require.Len(t, o.Candidates, len(g.Claims), "every claim is told")
		})
	}
}

// TestDecideSound holds for any evidence: every claim is told once, the owner is
// the first candidate without a reason against it, nothing of a lower source
// wins while a higher one could, and neither order nor lower evidence matter.
func TestDecideSound(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		one := rapid.Custom(func(t *rapid.T) claim {
			c := claim{
				Source:     rapid.SampledFrom(Sources).Draw(t, "source"),
				Exists:     rapid.Bool().Draw(t, "exists"),
				Members:    rapid.IntRange(-1, 2).Draw(t, "members"),
				Confidence: rapid.Float64Range(-1, 2).Draw(t, "confidence"),
				Unfit:      rapid.SampledFrom([]string{"", "", "", "unfit"}).Draw(t, "unfit"),
			}
			if name := rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(t, "name"); name != "" {
				c.Owner = ref(rapid.SampledFrom([]string{"group", "user"}).Draw(t, "kind"), name)
			}
			return c
		})
		g := gathered{Claims: rapid.SliceOfN(one, 0, 12).Draw(t, "claims"), Split: rapid.Bool().Draw(t, "split")}
		r := rules{
			Inheritance: rapid.SampledFrom([]Inheritance{Fallback, Append, NoInheritance}).Draw(t, "inheritance"),
			AutoApply:   rapid.Bool().Draw(t, "autoApply"),
		}
		o := decide(g, r)
		sound(t, &o)
		require.Len(t, o.Candidates, len(g.Claims))
		for _, c := range g.Claims {
			if unfit(&c, r) == "" {
				require.LessOrEqual(t, rank(o.Source), rank(c.Source))
			}
		}
		counted := 0
		for _, c := range o.Candidates {
			if c.RejectedBecause == "" {
				counted++
				require.True(t, c.Exists)
				require.False(t, c.Owner.IsZero())
			}
		}
		if !o.Owner.IsZero() {
			require.Equal(t, 1+len(o.Additional), counted)
			require.NotEqual(t, StatusUnowned, o.Status)
		} else {
			require.Zero(t, counted)
		}
		require.Equal(t, o, decide(g, r), "it is pure")
	})
}
