package descriptor

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
)

func good(name string) string {
	return "apiVersion: backstage.io/v1alpha1\nkind: System\nmetadata:\n  name: " + name + "\nspec:\n  owner: team-a\n"
}

// bomb is a document whose aliases stand for ten to the power of depth values.
func bomb(depth int) string {
	var b strings.Builder
	b.WriteString("a0: &a0 x\n")
	for i := 1; i <= depth; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 10), ","))
	}
	return b.String()
}

// TestBadDocumentsLeaveTheirSiblingsAlone puts each bad document between two
// good ones: the good ones are decoded, and the bad one is a problem at its
// place.
func TestBadDocumentsLeaveTheirSiblingsAlone(t *testing.T) {
	t.Parallel()
	before, after := good("before"), good("after") // six lines, and one for the marker
	for name, c := range map[string]struct {
		text         string
		code         catalog.Code
		line, column int // within the document; 0 for any column
		message      string
	}{
		"alias bomb":         {bomb(9), catalog.CodeTooLarge, 0, 0, "more than 100000 values"},
		"text by alias":      {"a: &a " + strings.Repeat("x", 100_000) + "\nb: [" + strings.Repeat("*a,", 100) + "*a]\n", catalog.CodeTooLarge, 1, 4, "bytes of text"},
		"cyclic alias":       {"a: &a\n  b: *a\n", catalog.CodeTooLarge, 2, 6, "nested more than 100 deep"},
		"unknown alias":      {"a: *nobody\n", catalog.CodeSyntax, 1, 0, "unknown anchor"},
		"deep flow":          {strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "\n", catalog.CodeTooLarge, 1, 101, "nested more than 100 deep"},
		"very deep flow":     {strings.Repeat("[", 200_000) + "\n", catalog.CodeTooLarge, 0, 0, "values"},
		"deep block":         {strings.Repeat("- ", 300) + "x\n", catalog.CodeTooLarge, 1, 201, "nested more than 100 deep"},
		"many values":        {"a: [" + strings.Repeat("1,", 300_000) + "1]\n", catalog.CodeTooLarge, 0, 0, "values"},
		"many values hidden": {"a: ['\"', \"\n  b: |\n     \"," + strings.Repeat("1,", 300_000) + "1]\n", catalog.CodeTooLarge, 0, 0, "values"},
		"duplicate key":      {"kind: A\nspec:\n  a: 1\n  b: 2\n  a: 3\n", catalog.CodeDuplicateKey, 5, 3, `the key "a" stands twice`},
		"tab":                {"kind: A\nspec:\n\ta: 1\n", catalog.CodeSyntax, 3, 1, "indented with a tab"},
		"tab after a dash":   {"- a\n-\tb\n", catalog.CodeSyntax, 2, 2, "not YAML"},
		"NUL":                {"kind: A\nmetadata: x\x00y\n", catalog.CodeEncoding, 2, 12, "NUL"},
		"invalid UTF-8":      {"kind: A\nmetadata: é\xff\n", catalog.CodeEncoding, 2, 12, "0xff is not UTF-8"},
		"control character":  {"kind: A\nmetadata: x\x01y\n", catalog.CodeSyntax, 2, 12, "control characters"},
		"unclosed quote":     {"kind: A\nname: \"x\nb: 1\n", catalog.CodeSyntax, 2, 0, "not YAML"},
		"unclosed list":      {"kind: A\nname: [x\n", catalog.CodeSyntax, 2, 0, "not YAML"},
		"two colons":         {"kind: A\nname: b: c\n", catalog.CodeSyntax, 2, 8, "not YAML"},
		"less indented":      {"a:\n  b: 1\n c: 2\nd: 3\n", catalog.CodeSyntax, 3, 0, "not YAML"},
		"after a flow root":  {"{a: 1} x\n", catalog.CodeSyntax, 1, 0, "not YAML"},
		"backtick":           {"a: 1\nb: `x`\n", catalog.CodeSyntax, 2, 0, "not YAML"},
		"a list":             {"- a\n- b\n", catalog.CodeEnvelope, 1, 1, "no mapping"},
		"a text":             {"hello\n", catalog.CodeEnvelope, 1, 1, "no mapping"},
		"merge of a text":    {"<<: x\nkind: A\n", catalog.CodeSyntax, 1, 0, "no mapping"},
		"Jinja":              {"{%- if x %}\nkind: A\n{%- endif %}\n", catalog.CodeTemplate, 1, 0, "not YAML"},
		"skeleton":           {strings.Replace(before, "before", "${{ values.name | dump }}", 1), catalog.CodeTemplate, 4, 9, "placeholder"},
		"cookiecutter":       {strings.Replace(before, "before", "{{ cookiecutter.name }}", 1), catalog.CodeTemplate, 4, 0, "placeholder"},
		"same ref":           {strings.Replace(before, "before", "BEFORE", 1), catalog.CodeDuplicateRef, 1, 0, "declared twice"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := Decode(File{Path: "x.yaml", Content: []byte(before + "---\n" + c.text + "---\n" + after)})
			var names []string
			for _, e := range d.Entities {
				names = append(names, e.Ref.Name)
			}
			require.Equal(t, []string{"before", "after"}, names)
			require.Len(t, d.Problems, 1, "%v", d.Problems)
			p := d.Problems[0]
			t.Log(p.Error())
			require.Equal(t, c.code, p.Code)
			require.Equal(t, catalog.SeverityError, p.Severity)
			require.Contains(t, p.Message, c.message)
			require.NotEmpty(t, p.Hint)
			require.Less(t, len(p.Error()), 600)
			if c.line > 0 {
				require.Equal(t, 7+c.line, p.Line)
			}
			if c.column > 0 {
				require.Equal(t, c.column, p.Column)
			}
			require.Equal(t, 8+strings.Count(c.text, "\n"), d.Entities[1].Origin.Line-1)
		})
	}
}

func TestWholeFiles(t *testing.T) {
	t.Parallel()
	one := func(content string) Decoded { return Decode(File{Path: "x.yaml", Content: []byte(content)}) }
	for name, content := range map[string]string{
		"nothing": "", "comment": "# x\n", "markers": "---\n---\n...\n", "null": "~\n", "BOM": "\ufeff",
	} {
		require.Empty(t, one(content), name)
	}
	for name, content := range map[string]string{
		"BOM": "\ufeff" + good("a"), "CRLF": strings.ReplaceAll(good("a"), "\n", "\r\n"), "CR and BOM": "\ufeff---\r\n" + strings.ReplaceAll(good("a"), "\n", "\r\n"),
		"directive": "%YAML 1.2\n---\n" + good("a"), "end marker": good("a") + "...\n", "no last line end": strings.TrimSpace(good("a")),
		"comment before": "# x\n\n---\n" + good("a"), "JSON": `{"apiVersion": "backstage.io/v1beta1", "kind": "System", "metadata": {"name": "a"}, "spec": {"owner": "team-a"}}`,
	} {
		d := one(content)
		require.Empty(t, d.Problems, name)
		require.Len(t, d.Entities, 1, name)
		require.Equal(t, "System:default/a", d.Entities[0].Ref.String(), name)
		require.Equal(t, "group:default/team-a", d.Entities[0].Relations[0].Target.String(), name)
	}
	for name, content := range map[string]string{"UTF-16 LE": "\xff\xfea\x00", "UTF-16 BE": "\xfe\xff\x00a"} {
		d := one(content)
		require.Len(t, d.Problems, 1, name)
		require.Equal(t, catalog.CodeEncoding, d.Problems[0].Code, name)
	}
	many := one(strings.Repeat("---\na: 1\n", maxDocuments+5))
	require.Len(t, many.Problems, maxProblems+1)
	require.Equal(t, catalog.CodeTooLarge, many.Problems[0].Code)
	last := many.Problems[maxProblems]
	require.Equal(t, catalog.CodeTooLarge, last.Code)
	require.Empty(t, last.Entity)
}

// TestProblemsAreShort: what is told stays readable whatever the document holds.
func TestProblemsAreShort(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("Ä", 900)
	d := Decode(File{Path: "x.yaml", Content: []byte(fmt.Sprintf(
		"apiVersion: %[1]s\nkind: %[1]s\n%[1]s: 1\nmetadata:\n  name: %[1]s\n  labels: {%[1]s: %[1]s, a: {%[1]s: 1}}\n  annotations: {%[1]s: 1}\n  tags: [%[1]s]\n  links: [{url: %[1]s}]\n---\n%[1]s: 1\n%[1]s: 2\n", long))})
	require.Empty(t, d.Entities)
	require.Greater(t, len(d.Problems), 8)
	for _, p := range d.Problems {
		require.Less(t, len(p.Message)+len(p.Hint)+len(p.Field)+len(p.Entity), 2000, "%.200s", p.Message)
	}
}

func TestDecodeIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	want := Decode(File{Path: "x.yaml", Content: hundred()})
	for range 4 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			for range 5 {
				require.Equal(t, want, Decode(File{Path: "x.yaml", Content: hundred()}))
			}
		})
	}
}

// TestLineEnds: what ended a line in YAML 1.1 only is text.
func TestLineEnds(t *testing.T) {
	t.Parallel()
	d := Decode(File{Path: "x.yaml", Content: []byte(strings.Replace(good("a"), "  name: a\n", "  title: a\u2028b\ue000\rc\n  description: |\n    d\u0085\n    e\u2029f\r\n    g\n  name: a\n  tags: [UPPER]\n", 1))})
	require.Len(t, d.Problems, 1)
	require.Equal(t, 10, d.Problems[0].Line)
	d = Decode(File{Path: "x.yaml", Content: []byte(strings.Replace(good("a"), "  name: a\n", "  title: a\u2028b\ue000\rc\n  description: |\n    d\u0085\n    e\u2029f\r\n    g\n  name: a\n", 1))})
	require.Empty(t, d.Problems)
	require.Equal(t, "a\u2028b\ue000\rc", d.Entities[0].Text("metadata.title"))
	require.Equal(t, "d\u0085\ne\u2029f\ng\n", d.Entities[0].Text("metadata.description"))
	require.Equal(t, 10, d.Entities[0].Relations[0].Line-1)
}

// TestMemoryIsBounded is not parallel: it measures the whole process.
func TestMemoryIsBounded(t *testing.T) {
	spent := func(content []byte) uint64 {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		d := Decode(File{Path: "x.yaml", Content: content})
		runtime.ReadMemStats(&after)
		require.NotEmpty(t, d.Problems)
		return after.TotalAlloc - before.TotalAlloc
	}
	require.Less(t, spent([]byte(strings.Repeat("a: b\n", 10<<20))), uint64(1<<20), "50 MB are refused unread")
	require.Less(t, spent([]byte("a: ["+strings.Repeat("1,", 2<<20)+"1]")), uint64(1<<20), "values are counted first")
	require.Less(t, spent([]byte(bomb(20))), uint64(64<<20), "aliases are not followed for ever")
	require.Less(t, spent([]byte(strings.Repeat("[", 4<<20))), uint64(64<<20))
	require.Less(t, spent([]byte("{"+strings.Repeat("a: *b, ", 20_000)+"}")), uint64(64<<20))
	require.Less(t, spent([]byte("a: \"\n  b: |\n    \", [\n"+strings.Repeat("   1,\n", 700_000))), uint64(64<<20))
}

// TestLargeDefinition: an API's definition of megabytes is text, and fine.
func TestLargeDefinition(t *testing.T) {
	t.Parallel()
	line := "    {\"paths\": {\"/a\": [1, 2, 3], \"b\": \"it's\"}},\n"
	content := strings.Replace(good("a"), "kind: System", "kind: API", 1) + "  type: openapi\n  lifecycle: production\n  definition: |\n" + strings.Repeat(line, 4<<20/len(line))
	d := Decode(File{Path: "x.yaml", Content: []byte(content)})
	require.Empty(t, d.Problems)
	require.Len(t, d.Entities, 1)
	require.Greater(t, len(d.Entities[0].Text("spec.definition")), 3<<20)
}
