package store

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestObjectsAreShared(t *testing.T) {
	t.Parallel()
	var o objects
	a, b := o.of([]byte(`"tier":1`)), o.of([]byte(`"tier":1`))
	require.JSONEq(t, `{"tier":1}`, string(a))
	require.Same(t, &a[0], &b[0])
	require.JSONEq(t, `{"tier":2}`, string(o.of([]byte(`"tier":2`))))

	long := fmt.Appendf(nil, `"text":%q`, bytes.Repeat([]byte("x"), maxObjectSize))
	c, d := o.of(long), o.of(long)
	require.Equal(t, c, d)
	require.NotSame(t, &c[0], &d[0], "what is long is not kept")

	for i := range 2 * maxObjects {
		require.Equal(t, fmt.Sprintf(`{"n":%d}`, i), string(o.of(fmt.Appendf(nil, `"n":%d`, i))))
		require.LessOrEqual(t, len(o.known), maxObjects)
	}
	require.Equal(t, `{"tier":1}`, string(a), "what was given up stays with those who have it")
}
