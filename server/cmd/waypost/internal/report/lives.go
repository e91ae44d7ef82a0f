package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/output"
)

// Life is a problem with what is known of its life.
type Life struct {
	catalog.Problem
	Owner  string     `json:"owner,omitempty"` // ref of who would mend it
	Opened *time.Time `json:"opened,omitempty"`
	Gone   *time.Time `json:"gone,omitempty"`
}

// PrintLives prints problems in one of Formats, with their lives where the form
// has room for them.
func PrintLives(p *output.Printer, format, version string, lives []Life, now time.Time) error {
	switch format {
	case "json", "yaml":
		list := struct {
			Problems []Life `json:"problems"`
		}{append([]Life{}, lives...)}
		if format == "yaml" {
			return p.YAML(list)
		}
		return p.JSON(list)
	case "table", "wide":
		if p.Terminal() || len(lives) == 0 {
			return lifeParagraphs(p, lives, now)
		}
		header := []string{"SEVERITY", "CODE", "AGE", "OWNER", "PLACE", "MESSAGE"}
		if format == "wide" {
			header = append(header, "WRITE", "ENTITY", "FIELD", "SOURCE", "GONE")
		}
		rows := make([][]string, len(lives))
		for i, l := range lives {
			message := l.Message
			if l.Hint != "" {
				message += "; " + l.Hint
			}
			rows[i] = []string{string(l.Severity), string(l.Code), since(l.Opened, now), l.Owner, place(l.Problem), message}
			if format == "wide" {
				rows[i] = append(rows[i], strings.TrimSpace(l.Fix.Replacement), l.Entity, l.Field, l.Source, since(l.Gone, now))
			}
		}
		return p.Table(header, rows)
	}
	problems := make([]catalog.Problem, len(lives))
	for i, l := range lives {
		problems[i] = l.Problem
	}
	return Print(p, format, version, problems)
}

func since(t *time.Time, now time.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return Since(*t, now)
}

// Since is how long ago a time was, in the largest unit that fits.
func Since(t, now time.Time) string {
	d := now.Sub(t)
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%dd", int(d.Hours()/24))
	case d >= time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	case d >= time.Minute:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	}
	return fmt.Sprintf("%ds", max(0, int(d.Seconds())))
}

func lifeParagraphs(p *output.Printer, lives []Life, now time.Time) error {
	for i, l := range lives {
		if i > 0 {
			fmt.Fprintln(p)
		}
		if err := paragraphs(p, []catalog.Problem{l.Problem}); err != nil {
			return err
		}
		var about []string
		if l.Owner != "" {
			about = append(about, "owner "+output.Clean(l.Owner))
		}
		if l.Opened != nil {
			about = append(about, "open for "+since(l.Opened, now))
		}
		if l.Gone != nil {
			about = append(about, "gone for "+since(l.Gone, now))
		}
		if len(about) > 0 {
			fmt.Fprintln(p, "  "+p.Mark(output.Faint, strings.Join(about, ", ")))
		}
	}
	return nil
}
