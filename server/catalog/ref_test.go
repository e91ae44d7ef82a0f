package catalog

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestParseRef(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   string
		ctx  RefContext
		want string // "" for an error
	}{
		{"payments", RefContext{Kind: "Group"}, "Group:default/payments"},
		{"payments", RefContext{Kind: "Group", Namespace: "bank"}, "Group:bank/payments"},
		{"user:alice", RefContext{Kind: "Group"}, "user:default/alice"},
		{"bank/payments", RefContext{Kind: "Group"}, "Group:bank/payments"},
		{"Component:Bank/Payments.v1", RefContext{}, "Component:Bank/Payments.v1"},
		{" api:x ", RefContext{}, "api:default/x"},
		{"payments", RefContext{}, ""},
		{"", RefContext{Kind: "Group"}, ""},
		{":a", RefContext{Kind: "Group"}, ""},
		{"/a", RefContext{Kind: "Group"}, ""},
		{"a/", RefContext{Kind: "Group"}, ""},
		{"a:", RefContext{Kind: "Group"}, ""},
		{"a:b:c", RefContext{}, ""},
		{"a:b/c/d", RefContext{}, ""},
	} {
		got, err := ParseRef(c.in, c.ctx)
		if c.want == "" {
			require.Error(t, err, c.in)
			continue
		}
		require.NoError(t, err, c.in)
		require.Equal(t, c.want, got.String())
	}
}

func TestRefRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?`)
		r := Ref{
			Kind:      rapid.StringMatching(`[A-Za-z][A-Za-z0-9]{0,20}`).Draw(t, "kind"),
			Namespace: rapid.StringMatching(`[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?`).Draw(t, "namespace"),
			Name:      name.Draw(t, "name"),
		}
		got, err := ParseRef(r.String(), RefContext{Kind: "Other", Namespace: "other"})
		require.NoError(t, err)
		require.Equal(t, r, got)
		upper, err := ParseRef(strings.ToUpper(r.String()), RefContext{})
		require.NoError(t, err)
		require.Equal(t, r.Key(), upper.Key())
		require.Empty(t, CheckName(r.Name))
	})
}

func FuzzParseRef(f *testing.F) {
	for _, s := range []string{"component:default/a", "a", "a:b", "a/b", " x:y/z ", "::", "a/b/c", "k:é/ü"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRef(s, RefContext{Kind: "Component"})
		if err != nil {
			return
		}
		again, err := ParseRef(r.String(), RefContext{})
		if err != nil || again != r {
			t.Fatalf("%q: %#v, then %#v %v", s, r, again, err)
		}
	})
}

// FuzzCanonical holds that writing a document twice gives the same bytes, and
// that they mean what was read.
func FuzzCanonical(f *testing.F) {
	for _, s := range []string{`{}`, `{"b":1,"a":[null,true,"x\u2028\u0000\"\\/<>&"],"c":{"":-0.0}}`, `1e400`, `[1e21,1e-7,0.1,123456789012345678901234567890]`, "\"\xff\"", `"\ud800"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var v any
		if json.Unmarshal(b, &v) != nil {
			return
		}
		once := appendJSON(nil, v)
		var again any
		if err := json.Unmarshal(once, &again); err != nil {
			t.Fatalf("%s: %v", once, err)
		}
		if twice := appendJSON(nil, again); string(twice) != string(once) {
			t.Fatalf("%s, then %s", once, twice)
		}
	})
}

func TestNumber(t *testing.T) {
	t.Parallel()
	for f, want := range map[float64]string{
		0: "0", math.Copysign(0, -1): "0", 1: "1", -1.5: "-1.5", 1e21: "1e+21", 123456789012345680000: "123456789012345680000",
		1e-6: "0.000001", 1e-7: "1e-7", 0.1: "0.1", 5e-324: "5e-324", math.Inf(1): "null", math.NaN(): "null",
	} {
		require.Equal(t, want, Number(f))
	}
}

func TestFieldPath(t *testing.T) {
	t.Parallel()
	require.Equal(t, `metadata.annotations["a.b/c"]`, FieldPath([]string{"metadata", "annotations", "a.b/c"}))
	require.Equal(t, "spec.dependsOn[2]", FieldPath([]string{"spec", "dependsOn", "2"}))
	rapid.Check(t, func(t *rapid.T) {
		path := rapid.SliceOfN(rapid.String(), 1, 5).Draw(t, "path")
		got, ok := SplitFieldPath(FieldPath(path))
		require.True(t, ok, FieldPath(path))
		require.Equal(t, path, got)
	})
}
