package report

import (
	"fmt"
	"strings"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/output"
)

// annotations prints GitHub's workflow commands, which show a problem at its
// line in a pull request.
// https://docs.github.com/actions/reference/workflow-commands-for-github-actions
func annotations(p *output.Printer, problems []catalog.Problem) error {
	var b strings.Builder
	for _, x := range problems {
		command := "error"
		if x.Severity == catalog.SeverityWarning {
			command = "warning"
		}
		var properties []string
		add := func(key, value string) {
			properties = append(properties, key+"="+property(value))
		}
		if x.Path != "" {
			add("file", x.Path)
		}
		if x.Line > 0 {
			add("line", fmt.Sprint(x.Line))
		}
		if x.Column > 0 {
			add("col", fmt.Sprint(x.Column))
		}
		add("title", string(x.Code))
		message := x.Message
		if x.Hint != "" {
			message += "\n" + x.Hint
		}
		fmt.Fprintf(&b, "::%s %s::%s\n", command, strings.Join(properties, ","), data(message))
	}
	_, err := p.Write([]byte(b.String()))
	return err
}

// The escapes are those of the runner's own toolkit: data may not hold a line
// end, nor a property what separates properties. Nothing from a catalog file
// can so begin a command of its own.
var (
	dataEscapes     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	propertyEscapes = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

func data(s string) string     { return dataEscapes.Replace(s) }
func property(s string) string { return propertyEscapes.Replace(s) }
