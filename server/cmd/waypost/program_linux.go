package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// releaseProgram unmaps the pages of the program's own file that were touched so
// far: most of them by what runs once, at the start and in a first harvest. They
// are the file's, unchanged, and stay in the system's cache, out of which what is
// needed again comes back when it is touched, sixteen pages at a time.
func releaseProgram() error {
	ranges, err := programMappings()
	if err != nil {
		return err
	}
	for _, r := range ranges {
		if _, _, errno := syscall.Syscall(syscall.SYS_MADVISE, r.from, r.to-r.from, syscall.MADV_DONTNEED); errno != 0 {
			return fmt.Errorf("madvise: %w", errno)
		}
	}
	return nil
}

type mapping struct{ from, to uintptr }

// programMappings are where the program's file is mapped and can be read only, and
// no page is this process's own: those that a loader has relocated, or a
// debugger has put breakpoints into, are not in the file as they are in memory.
func programMappings() ([]mapping, error) {
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return nil, err
	}
	smaps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return nil, err
	}
	return mappingsOf(smaps, program)
}

// mappingsOf reads what proc(5) describes as smaps: a line for each mapping, with
// lines of figures behind it.
func mappingsOf(smaps []byte, program string) ([]mapping, error) {
	var out []mapping
	var at mapping
	candidate := false
	lines := bufio.NewScanner(bytes.NewReader(smaps))
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		switch {
		case len(f) >= 6 && strings.Contains(f[0], "-"): // 00401000-02193000 r-xp 00001000 fd:01 42 /usr/bin/waypost
			candidate = (f[1] == "r-xp" || f[1] == "r--p") && strings.Join(f[5:], " ") == program
			if !candidate {
				continue
			}
			from, to, _ := strings.Cut(f[0], "-")
			a, err1 := strconv.ParseUint(from, 16, strconv.IntSize)
			b, err2 := strconv.ParseUint(to, 16, strconv.IntSize)
			if err1 != nil || err2 != nil || a >= b {
				return nil, fmt.Errorf("smaps: %q is no range", f[0])
			}
			at = mapping{uintptr(a), uintptr(b)}
		case len(f) >= 2 && strings.Contains(f[0], "-"): // of memory without a file
			candidate = false
		case candidate && len(f) == 3 && f[0] == "Anonymous:":
			if f[1] == "0" {
				out = append(out, at)
			}
			candidate = false
		}
	}
	return out, lines.Err()
}
