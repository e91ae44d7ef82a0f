package codeowners

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hmarr/codeowners"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestVectors(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/vectors.json")
	require.NoError(t, err)
	var vectors []struct {
		About, File string
		Dialect     Dialect
		Paths       []struct {
			Path    string
			Matched bool
			Line    int
			Owners  []string
		}
	}
	require.NoError(t, json.Unmarshal(text, &vectors))
	n := 0
	for _, v := range vectors {
		f := Parse([]byte(v.File), v.Dialect)
		for _, p := range v.Paths {
			n++
			m, ok := f.Match(p.Path)
			require.Equal(t, p.Matched, ok, "%s: %s", v.About, p.Path)
			if !ok {
				continue
			}
			require.Equal(t, p.Line, m.Rules[len(m.Rules)-1].Line, "%s: %s", v.About, p.Path)
			owners := []string{}
			for _, o := range m.Owners() {
				owners = append(owners, o.String())
			}
			require.Equal(t, p.Owners, owners, "%s: %s", v.About, p.Path)
		}
	}
	require.GreaterOrEqual(t, n, 200)
}

func TestInvalid(t *testing.T) {
	t.Parallel()
	f := Parse([]byte("* @all\n  !/docs @x\n/a/[bc]/ @x\n/d @ok nobody # no\n/e ***\n\\#a @x\n/f @\n/g/*** @g\n\xff @x\n/h @acme/\n"), GitHub)
	type place struct{ line, column int }
	var got []place
	for _, i := range f.Invalid {
		got = append(got, place{i.Line, i.Column})
		require.NotEmpty(t, i.Reason)
		require.NotEmpty(t, i.Fix)
		require.NotEmpty(t, i.Text)
	}
	require.Equal(t, []place{{2, 3}, {3, 4}, {4, 8}, {5, 4}, {6, 1}, {7, 4}, {8, 4}, {9, 1}, {10, 4}}, got)
	require.Len(t, f.Rules, 1)

	large := Parse(make([]byte, MaxSize+1), GitHub)
	require.True(t, large.TooLarge)
	require.Empty(t, large.Rules)
	require.False(t, Parse(make([]byte, MaxSize), GitHub).TooLarge)
	section := Parse([]byte("[One] @one\n/a\n[Two] nonsense\n/c\n"), GitLab)
	m, ok := section.Match("c")
	require.True(t, ok)
	require.Empty(t, m.Owners(), "not those of the section before")
	require.Len(t, Parse([]byte("/a @a/b/c\n"), GitHub).Invalid, 1, "nested groups are GitLab's")
	require.Len(t, Parse([]byte("/a\x00*b @a\n"), GitHub).Invalid, 1)
	long := Parse([]byte("/a "+strings.Repeat("@a ", 30_000)), GitHub)
	require.Len(t, long.Invalid, 1)
	require.Less(t, len(long.Invalid[0].Text), 300)
}

// name and pattern draw from few letters, so that much matches.
func drawPath(t *rapid.T) string {
	return strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "ab", "a.go", "b.go", "aa", "é", "x y"}), 1, 5).Draw(t, "path"), "/")
}

// drawPattern leaves out ** next to ** or before a slash at the end, of which the
// library makes an expression that nothing can match.
func drawPattern(t *rapid.T) string {
	return rapid.Custom(drawAnyPattern).Filter(func(p string) bool { return !strings.Contains(p, "**/**") && !strings.HasSuffix(p, "**/") }).Draw(t, "pattern")
}

func drawAnyPattern(t *rapid.T) string {
	parts := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "*", "**", "*.go", "a*", "*b", "?", "a?", "ab", "*a*", "b.go", `x\ y`, `\*`}), 1, 4).Draw(t, "parts")
	return rapid.SampledFrom([]string{"", "/"}).Draw(t, "front") + strings.Join(parts, "/") + rapid.SampledFrom([]string{"", "", "/"}).Draw(t, "back")
}

// The matcher finds what trying every rule finds, and every rule matches what
// the library says that it does.
func TestLikeTheLibrary(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var text strings.Builder
		for i := range rapid.IntRange(1, 12).Draw(t, "rules") {
			fmt.Fprintf(&text, "%s @o%d\n", drawPattern(t), i)
		}
		theirs, err := codeowners.ParseFile(strings.NewReader(text.String()))
		require.NoError(t, err, text.String())
		ours := Parse([]byte(text.String()), GitHub)
		require.Empty(t, ours.Invalid)
		require.Len(t, ours.Rules, len(theirs))
		for range 8 {
			path := drawPath(t)
			want := 0
			for _, r := range theirs {
				matched, err := r.Match(path)
				require.NoError(t, err)
				if matched {
					want = r.LineNumber
				}
			}
			got := 0
			if r := ours.Rule(path); r != nil {
				got = r.Line
			}
			require.Equal(t, want, got, "%q in\n%s", path, text.String())
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("* @a\n/a/**/b c@d.e\n", "a/x/b", false)
	f.Add("[S][2] @a\n^[T]\nx\\ y", "x y", true)
	f.Fuzz(func(t *testing.T, text, path string, gitlab bool) {
		d := GitHub
		if gitlab {
			d = GitLab
		}
		file := Parse([]byte(text), d)
		m, ok := file.Match(path)
		require.Equal(t, ok, len(m.Rules) > 0)
		for _, r := range m.Rules {
			require.Positive(t, r.Line)
		}
		for _, i := range file.Invalid {
			require.Positive(t, i.Column)
		}
	})
}

// TestHostile has files of 3 MB that are made to be slow or large. It fails by its
// test's time-out; the bounds are what keeps it from it.
func TestHostile(t *testing.T) {
	t.Parallel()
	fill := func(line func(i int) string) string {
		var b strings.Builder
		for i := 0; b.Len() < MaxSize-1000; i++ {
			b.WriteString(line(i))
		}
		return b.String()
	}
	deep := strings.Repeat("a/", 400) + "b"
	for name, text := range map[string]string{
		"many **":     fill(func(i int) string { return fmt.Sprintf("%sq%d @a\n", strings.Repeat("**/a/", 90), i) }),
		"many *":      fill(func(int) string { return strings.Repeat("*a", 20) + "b @a\n" }),
		"many others": fill(func(i int) string { return fmt.Sprintf("**/a*b*c%d\n", i) }),
		"deep":        fill(func(i int) string { return fmt.Sprintf("/%d/%s @a\n", i, strings.Repeat("a/", 90)) }),
		"short":       fill(func(int) string { return "a\n" }),
		"wrong":       fill(func(int) string { return "!\n" }),
	} {
		f := Parse([]byte(text), GitHub)
		require.LessOrEqual(t, len(f.Rules), maxRules, name)
		require.LessOrEqual(t, len(f.Invalid), maxInvalid, name)
		for range 3 {
			f.Rule(deep)
			f.Rule(strings.Repeat("a", 200))
		}
	}
}

// TestCorpus reads every real file there is.
func TestCorpus(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..", "..", "..", "shared", "corpus")
	if _, err := os.Stat(root); err != nil {
		t.Skip("the corpus of real repositories is not here")
	}
	files, rules, invalid := 0, 0, 0
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() != "CODEOWNERS" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		f := Parse(text, GitHub)
		files++
		rules += len(f.Rules)
		invalid += len(f.Invalid)
		for _, i := range f.Invalid {
			t.Logf("%s:%d:%d: %s: %s", path, i.Line, i.Column, i.Reason, i.Text)
		}
		return nil
	}))
	t.Logf("%d files, %d rules, %d lines passed over", files, rules, invalid)
	require.Positive(t, files)
}

// large is a file of about 3 MB with 20,000 rules as large organisations write
// them, and paths that go with it.
func large() (text string, paths []string) {
	var b strings.Builder
	b.WriteString("* @acme/everybody\n")
	for i := 1; i < 20_000; i++ {
		pattern := ""
		switch i % 10 {
		case 0:
			pattern = fmt.Sprintf("*.ext%d", i)
		case 1:
			pattern = fmt.Sprintf("**/name%d", i)
		case 2:
			pattern = fmt.Sprintf("/services/s%d/*/deploy/", i)
		case 3:
			pattern = fmt.Sprintf("name%d.yaml", i)
		default:
			pattern = fmt.Sprintf("/services/group%d/service-with-a-name-%d/src/main/", i%100, i)
		}
		fmt.Fprintf(&b, "%-90s @acme/team-number-%d @acme/another-team-%d @person-%d\n", pattern, i%500, i%300, i)
	}
	for i := range 10_000 {
		paths = append(paths, fmt.Sprintf("services/group%d/service-with-a-name-%d/src/main/java/com/acme/file%d.ext%d", i%100, i, i, i%7))
	}
	return b.String(), paths
}

func BenchmarkRule(b *testing.B) {
	text, paths := large()
	b.Logf("%d bytes", len(text))
	f := Parse([]byte(text), GitHub)
	require.Empty(b, f.Invalid)
	require.Len(b, f.Rules, 20_000)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if f.Rule(paths[i%len(paths)]) == nil {
			b.Fatal("nobody owns ", paths[i%len(paths)])
		}
		i++
	}
}

// BenchmarkRuleWorst has rules that lie in no other place than 'try always'.
func BenchmarkRuleWorst(b *testing.B) {
	var text strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&text, "**/a*b*c%d @a\n", i)
	}
	f := Parse([]byte(text.String()), GitHub)
	for b.Loop() {
		f.Rule("services/group/service-with-a-name/src/main/java/com/acme/aabbcc.ext")
	}
}

func BenchmarkParse(b *testing.B) {
	text, _ := large()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		Parse([]byte(text), GitHub)
	}
}
