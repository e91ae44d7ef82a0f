// Package report prints problems: as a table for people, and in the forms that
// code hosts and editors read.
package report

import (
	"fmt"
	"strings"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/output"
)

// Formats are the names under which Print knows a form.
var Formats = []string{"table", "wide", "json", "yaml", "sarif", "github"}

// Print prints problems in one of Formats. version is that of this program.
func Print(p *output.Printer, format, version string, problems []catalog.Problem) error {
	switch format {
	case "json", "yaml":
		list := struct {
			Problems []catalog.Problem `json:"problems"`
		}{append([]catalog.Problem{}, problems...)}
		if format == "yaml" {
			return p.YAML(list)
		}
		return p.JSON(list)
	case "sarif":
		return sarifLog(p, version, problems)
	case "github":
		return annotations(p, problems)
	case "table", "wide":
		return table(p, format == "wide", problems)
	default:
		return fmt.Errorf("unknown format %q; write one of %s", format, strings.Join(Formats, ", "))
	}
}

// Errors counts the problems that keep something out of the catalog.
func Errors(problems []catalog.Problem) int {
	n := 0
	for _, p := range problems {
		if p.Severity == catalog.SeverityError {
			n++
		}
	}
	return n
}

// place is where a problem is, as a compiler prints it.
func place(p catalog.Problem) string {
	s := p.Path
	if p.Repository != "" {
		s = strings.TrimSuffix(p.Repository+"/"+p.Path, "/")
	}
	if s == "" {
		s = p.Source
	}
	if p.Line > 0 {
		s += fmt.Sprintf(":%d", p.Line)
		if p.Column > 0 {
			s += fmt.Sprintf(":%d", p.Column)
		}
	}
	return s
}

func table(p *output.Printer, wide bool, problems []catalog.Problem) error {
	if len(problems) == 0 {
		return nil
	}
	if p.Terminal() {
		return paragraphs(p, problems)
	}
	header := []string{"SEVERITY", "CODE", "PLACE", "MESSAGE"}
	if wide {
		header = []string{"SEVERITY", "CODE", "PLACE", "ENTITY", "FIELD", "MESSAGE", "HINT", "SOURCE"}
	}
	rows := make([][]string, len(problems))
	for i, x := range problems {
		if wide {
			rows[i] = []string{string(x.Severity), string(x.Code), place(x), x.Entity, x.Field, x.Message, x.Hint, x.Source}
			continue
		}
		message := x.Message
		if x.Hint != "" {
			message += "; " + x.Hint
		}
		rows[i] = []string{string(x.Severity), string(x.Code), place(x), message}
	}
	return p.Table(header, rows)
}

// paragraphs prints problems for a terminal, where a table would clip just what
// one needs: the place, which many terminals open at a click, what is wrong,
// and how to mend it.
func paragraphs(p *output.Printer, problems []catalog.Problem) error {
	var b strings.Builder
	for i, x := range problems {
		if i > 0 {
			b.WriteByte('\n')
		}
		style := output.Red
		if x.Severity == catalog.SeverityWarning {
			style = output.Yellow
		}
		fmt.Fprintf(&b, "%s %s %s\n", p.Mark(output.Bold, output.Clean(place(x))), p.Mark(style, string(x.Severity)),
			p.Mark(output.Faint, output.Clean(string(x.Code))))
		for _, text := range []string{x.Message, x.Hint} {
			if text != "" {
				fmt.Fprintf(&b, "  %s\n", output.Clean(text))
			}
		}
		if x.Fix.Replacement != "" {
			if x.Fix.Found != "" {
				fmt.Fprintln(&b, p.Mark(output.Red, "  - "+output.Clean(x.Fix.Found)))
			}
			fmt.Fprintln(&b, p.Mark(output.Green, "  + "+output.Clean(x.Fix.Replacement)))
		}
	}
	_, err := p.Write([]byte(b.String()))
	return err
}
