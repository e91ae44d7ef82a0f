package main

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
)

const smaps = `00400000-02193000 r-xp 00001000 fd:01 42                 /usr/bin/waypost
Size:              30280 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me
02193000-04479000 r--p 01d93000 fd:01 42                 /usr/bin/waypost
Anonymous:             0 kB
04479000-0447c000 r--p 04079000 fd:01 42                 /usr/bin/waypost
Anonymous:            12 kB
0447c000-0460e000 rw-p 0407c000 fd:01 42                 /usr/bin/waypost
Anonymous:             0 kB
0460e000-06663000 rw-p 00000000 00:00 0
Anonymous:             0 kB
7f0000000000-7f0000001000 r--p 00000000 fd:01 43         /usr/bin/waypost.old
Anonymous:             0 kB
7ffc00000000-7ffc00002000 r-xp 00000000 00:00 0          [vdso]
Anonymous:             0 kB
`

// What is written to, or differs from the file, must never be unmapped: it would
// come back as it is in the file.
func TestProgramMappings(t *testing.T) {
	t.Parallel()
	found, err := mappingsOf([]byte(smaps), "/usr/bin/waypost")
	require.NoError(t, err)
	require.Equal(t, []mapping{{0x400000, 0x2193000}, {0x2193000, 0x4479000}}, found)

	_, err = mappingsOf([]byte("zz-00 r-xp 0 0 1 /usr/bin/waypost\n"), "/usr/bin/waypost")
	require.Error(t, err)
}

func TestReleaseProgram(t *testing.T) {
	t.Parallel()
	found, err := programMappings()
	require.NoError(t, err)
	here := reflect.ValueOf(TestReleaseProgram).Pointer()
	held := false
	for _, m := range found {
		held = held || m.from <= here && here < m.to
	}
	require.True(t, held, "the code of this test is in %x", found)
	require.NoError(t, releaseProgram()) // and what follows still runs
	require.NoError(t, releaseProgram())
}
