package exchange

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

// newFolder makes a folder. One that is there must be empty: nobody's files are
// written over, or mistaken for ours later.
func newFolder(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	there, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	if len(there) > 0 {
		return fmt.Errorf("the folder %s is not empty; name a new one", folder)
	}
	return nil
}

var notInName = regexp.MustCompile(`[^a-z0-9_.-]+`)

// fileName makes a file's name of text that may be hostile: it has no separators,
// and does not begin with a dot.
func fileName(text string) string {
	name := strings.Trim(notInName.ReplaceAllString(strings.ToLower(text), "-"), ".-")
	if len(name) > 100 {
		name = strings.TrimRight(name[:100], ".-")
	}
	if name == "" {
		return "unnamed"
	}
	return name
}
