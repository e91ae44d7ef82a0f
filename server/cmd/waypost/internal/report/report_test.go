package report

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/output"
)

var update = flag.Bool("update", false, "write the golden files anew")

var problems = []catalog.Problem{
	{
		Code: catalog.CodeSpec, Severity: catalog.SeverityError, Path: "shop/catalog-info.yaml", Line: 8, Column: 3,
		Entity: "component:default/shop", Field: "spec.owner",
		Message: "spec.owner is missing", Hint: `name the team that owns this component, for example "owner: group:payments"`,
	},
	{
		Code: catalog.CodeDangling, Severity: catalog.SeverityWarning, Source: "github:acme", Repository: "acme/shop", Path: "a b,c:%.yaml", Line: 3,
		Entity: "component:default/shop", Field: "spec.system", Message: "system:default/none does not exist\n::error::injected",
	},
	{Code: catalog.CodeSyntax, Severity: catalog.SeverityError, Path: "c:1/broken.yaml", Message: "not YAML"},
	{Code: catalog.CodeUnreadable, Severity: catalog.SeverityError, Source: "dir:/srv/git", Message: "cannot be read"},
}

func TestFormats(t *testing.T) {
	t.Parallel()
	for _, format := range Formats {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			require.NoError(t, Print(&output.Printer{Writer: &out}, format, "1.2.3", problems))
			golden := filepath.Join("testdata", format+".golden")
			if *update {
				require.NoError(t, os.MkdirAll("testdata", 0o755))
				require.NoError(t, os.WriteFile(golden, out.Bytes(), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), out.String())
		})
	}
	require.ErrorContains(t, Print(&output.Printer{Writer: &bytes.Buffer{}}, "xml", "", nil), "write one of table, wide")
	require.Equal(t, 3, Errors(problems))
}

func TestTerminal(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, Print(&output.Printer{Writer: &out, Width: 40}, "table", "", problems[:2]))
	require.Equal(t, `shop/catalog-info.yaml:8:3 error spec
  spec.owner is missing
  name the team that owns this component, for example "owner: group:payments"

acme/shop/a b,c:%.yaml:3 warning dangling-relation
  system:default/none does not exist ::error::injected
`, out.String())
}

func TestNoProblems(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := &output.Printer{Writer: &out}
	require.NoError(t, Print(p, "table", "", nil))
	require.NoError(t, Print(p, "github", "", nil))
	require.Empty(t, out.String())
	require.NoError(t, Print(p, "json", "", nil))
	require.JSONEq(t, `{"problems":[]}`, out.String())
}

// Any problem makes valid SARIF, and one annotation of one line.
func TestAnyProblem(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		x := catalog.Problem{
			Code: catalog.Code(rapid.StringMatching(`[a-z-]{1,10}`).Draw(t, "code")), Severity: catalog.SeverityError,
			Repository: rapid.String().Draw(t, "repository"), Path: rapid.String().Draw(t, "path"),
			Line: rapid.IntRange(0, 9).Draw(t, "line"), Column: rapid.IntRange(0, 9).Draw(t, "column"),
			Entity: rapid.String().Draw(t, "entity"), Message: rapid.String().Draw(t, "message"), Hint: rapid.String().Draw(t, "hint"),
		}
		var log, lines bytes.Buffer
		require.NoError(t, Print(&output.Printer{Writer: &log}, "sarif", "dev", []catalog.Problem{x}))
		r, err := sarif.FromBytes(log.Bytes())
		require.NoError(t, err)
		require.NoError(t, r.Validate(), log.String())

		require.NoError(t, Print(&output.Printer{Writer: &lines}, "github", "dev", []catalog.Problem{x}))
		require.Equal(t, 1, strings.Count(lines.String(), "\n"))
		require.True(t, strings.HasPrefix(lines.String(), "::error "))
	})
}
