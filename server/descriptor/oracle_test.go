package descriptor

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
)

// shared is the folder of real input, which stands beside the checkout.
const shared = "../../../shared"

// verdict is what Backstage's own code says of one document.
type verdict struct {
	File      string
	Doc       int
	Ref       string
	OK        bool
	Phase     string
	Error     string
	Relations []struct{ Field, Raw, Ref string }
}

// The reasons for which we differ from Backstage on purpose.
const (
	customKind = "a custom kind is kept, with a warning"
)

// differences are the documents, as file#document, of which we say something
// else than Backstage, with the reason.
var differences = map[string]string{
	"backstage/demo/examples/ai-resources.yaml#0":                                                      customKind,
	"backstage/demo/examples/ai-resources.yaml#1":                                                      customKind,
	"backstage/demo/examples/ai-resources.yaml#2":                                                      customKind,
	"backstage/demo/examples/ai-resources.yaml#3":                                                      customKind,
	"backstage/demo/examples/ai-resources.yaml#4":                                                      customKind,
	"backstage/demo/examples/ai-resources.yaml#5":                                                      customKind,
	"cnoe-io/stacks/caipe/base/backstage.yaml#0":                                                       customKind,
	"cnoe-io/stacks/caipe/workshop/backstage.yaml#0":                                                   customKind,
	"cnoe-io/stacks/kyverno-integration/modules/enforce/exceptions/backstage.yaml#0":                   customKind,
	"cnoe-io/stacks/ref-implementation/backstage.yaml#0":                                               customKind,
	"redhat-developer/rhdh/e2e-tests/playwright/utils/authentication-providers/yamls/backstage.yaml#0": customKind,
}

// npmPlace finds where Backstage's parser saw a syntax error.
var npmPlace = regexp.MustCompile(`at line (\d+), column (\d+)`)

func TestOracle(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(filepath.Join(shared, "corpus", "ORACLE.json"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("SKIPPED: the real files of ../shared/corpus are not here")
	}
	require.NoError(t, err)
	var verdicts []verdict
	require.NoError(t, json.Unmarshal(content, &verdicts))
	agreeing := 0
	differing := map[string]int{}
	seen := map[string]bool{}
	for _, want := range verdicts {
		name := want.File + "#" + strconv.Itoa(want.Doc)
		content, err := os.ReadFile(filepath.Join(shared, "corpus", filepath.FromSlash(want.File)))
		require.NoError(t, err)
		pieces := split(content)
		if !assertf(t, want.Doc < len(pieces), "%s: %d documents", name, len(pieces)) {
			continue
		}
		d := &decoder{file: File{Path: want.File, Content: content}, lines: map[string]int{}}
		d.document(pieces[want.Doc])
		got := d.out
		if diff := differ(want, got); diff == "" {
			agreeing++
		} else if reason, ok := differences[name]; ok {
			differing[reason]++
			seen[name] = true
		} else {
			t.Errorf("%s: %s", name, diff)
		}
		if len(got.Entities) == 0 {
			require.NotEmpty(t, got.Problems, "%s is dropped in silence", name)
		}
		for _, p := range got.Problems {
			require.Positive(t, p.Line, "%s: %v", name, p)
			require.NotEmpty(t, p.Hint, "%s: %v", name, p)
		}
		if m := npmPlace.FindStringSubmatch(want.Error); m != nil && len(got.Problems) > 0 {
			line, err := strconv.Atoi(m[1])
			require.NoError(t, err)
			if got.Problems[0].Line != line {
				t.Errorf("%s: problem on line %d; Backstage's parser says %s: %s", name, got.Problems[0].Line, want.Error, got.Problems[0].Error())
			}
		}
	}
	for name, reason := range differences {
		if !seen[name] {
			t.Errorf("%s is listed as differing (%s), and does not", name, reason)
		}
	}
	t.Logf("%d documents, %d agreeing, differing: %v", len(verdicts), agreeing, differing)
}

func assertf(t *testing.T, ok bool, format string, args ...any) bool {
	t.Helper()
	if !ok {
		t.Errorf(format, args...)
	}
	return ok
}

// differ tells in which way a decoded document is not what Backstage says.
func differ(want verdict, got Decoded) string {
	if ok := len(got.Entities) == 1; ok != want.OK {
		return "accepted: " + strconv.FormatBool(ok) + ", Backstage: " + strconv.FormatBool(want.OK) + " " + want.Error + problemText(got.Problems)
	}
	if !want.OK {
		return ""
	}
	e := got.Entities[0]
	if e.Ref.Key() != want.Ref {
		return "ref is " + e.Ref.Key() + ", Backstage: " + want.Ref
	}
	var wanted, have []string
	unparsed := 0
	for _, r := range want.Relations {
		if strings.HasPrefix(r.Ref, "ERR ") {
			unparsed++ // Backstage cannot parse it, and neither can we
			continue
		}
		wanted = append(wanted, r.Field+" "+r.Ref)
	}
	for _, p := range got.Problems {
		if p.Code == catalog.CodeReference {
			unparsed--
		}
	}
	if unparsed != 0 {
		return "references that cannot be parsed: " + strconv.Itoa(-unparsed) + " more than Backstage says" + problemText(got.Problems)
	}
	for _, r := range e.Relations {
		field, _, _ := strings.Cut(strings.TrimPrefix(r.Field, "spec."), "[")
		have = append(have, field+" "+r.Target.String())
	}
	slices.Sort(wanted)
	slices.Sort(have)
	return cmp.Diff(slices.Compact(wanted), have)
}

func problemText(problems []catalog.Problem) string {
	var b strings.Builder
	for _, p := range problems {
		b.WriteString("\n  " + p.Error())
	}
	return b.String()
}
