// Package output prints what the commands answer: tables and text for people,
// JSON and YAML for machines.
package output

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode"

	"github.com/mattn/go-runewidth"
	"golang.org/x/term"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// Printer writes to one place. It is not safe for concurrent use.
type Printer struct {
	io.Writer
	// Width is how many columns the terminal has; 0 if there is none, and then
	// nothing is clipped.
	Width int
	// Color tells whether to mark text with colours.
	Color bool
}

// New returns a Printer for w, which may be a terminal. getenv is as os.Getenv;
// NO_COLOR (https://no-color.org) and TERM=dumb turn colours off.
func New(w io.Writer, getenv func(string) string) *Printer {
	p := &Printer{Writer: w}
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return p
	}
	if width, _, err := term.GetSize(int(f.Fd())); err == nil {
		p.Width = width
	}
	p.Color = getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
	return p
}

// Terminal tells whether a person is watching.
func (p *Printer) Terminal() bool { return p.Width > 0 }

// Style is how a piece of text is marked on a terminal, as SGR parameters of
// ECMA-48.
type Style string

const (
	Bold   Style = "1"
	Faint  Style = "2"
	Red    Style = "31"
	Green  Style = "32"
	Yellow Style = "33"
)

// Mark marks text if colours are wanted.
func (p *Printer) Mark(s Style, text string) string {
	if !p.Color || text == "" {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}

// Clean makes text from the catalog safe for a terminal: one line, without
// control or direction-changing characters.
func Clean(s string) string {
	safe := func(r rune) bool {
		return !unicode.IsControl(r) && r != unicode.ReplacementChar &&
			(r < 0x200b || (r > 0x200f && r < 0x2028) || (r > 0x202e && r < 0x2066) || r > 0x2069)
	}
	if !strings.ContainsFunc(s, func(r rune) bool { return !safe(r) }) {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case safe(r):
			return r
		case unicode.IsSpace(r):
			return ' '
		default:
			return unicode.ReplacementChar
		}
	}, s)
}

// narrowest is the width below which no column is clipped: a word or a date.
const narrowest = 10

// Table prints rows below a header. On a terminal, the widest columns are
// clipped until the lines fit. Cells are cleaned.
func (p *Printer) Table(header []string, rows [][]string) error {
	const gap = 2
	widths := make([]int, len(header))
	all := append([][]string{header}, rows...)
	for i, row := range all {
		clean := make([]string, len(header))
		for c := range clean {
			if c < len(row) {
				clean[c] = Clean(row[c])
			}
			widths[c] = max(widths[c], runewidth.StringWidth(clean[c]))
		}
		all[i] = clean
	}
	if p.Width > 0 {
		fit(widths, p.Width-gap*(len(widths)-1))
	}
	var b strings.Builder
	for i, row := range all {
		last := len(row) - 1
		for last > 0 && row[last] == "" {
			last--
		}
		for c := 0; c <= last; c++ {
			cell := row[c]
			if p.Width > 0 {
				cell = runewidth.Truncate(cell, widths[c], "…")
			}
			pad := widths[c] - runewidth.StringWidth(cell) + gap
			if i == 0 {
				cell = p.Mark(Bold, cell)
			}
			b.WriteString(cell)
			if c < last {
				b.WriteString(strings.Repeat(" ", pad))
			}
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(p, b.String())
	return err
}

// fit shortens the widest columns until they take no more than total; the
// first one, which names the row, only when all others are narrow.
func fit(widths []int, total int) {
	sum := 0
	for _, w := range widths {
		sum += w
	}
	for _, columns := range [][]int{widths[1:], widths[:1]} {
		for sum > total && len(columns) > 0 {
			widest := slices.Max(columns)
			if widest <= narrowest {
				break
			}
			columns[slices.Index(columns, widest)]--
			sum--
		}
	}
}

// JSON prints v with two spaces of indent.
func (p *Printer) JSON(v any) error {
	b, err := Marshal(v)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, b, "", "  "); err != nil {
		return fmt.Errorf("indent JSON: %w", err)
	}
	out.WriteByte('\n')
	_, err = p.Write(out.Bytes())
	return err
}

// YAML prints v, which is made JSON first so that both have the same fields in
// the same order.
func (p *Printer) YAML(v any) error {
	b, err := Marshal(v)
	if err != nil {
		return err
	}
	out, err := YAML(b)
	if err != nil {
		return err
	}
	_, err = p.Write(out)
	return err
}

// Marshal makes JSON of v; a proto.Message as the REST API does.
func Marshal(v any) ([]byte, error) {
	if m, ok := v.(proto.Message); ok {
		b, err := protojson.Marshal(m)
		if err != nil {
			return nil, fmt.Errorf("encode answer: %w", err)
		}
		// protojson varies its white space on purpose.
		var out bytes.Buffer
		if err := json.Compact(&out, b); err != nil {
			return nil, fmt.Errorf("encode answer: %w", err)
		}
		return out.Bytes(), nil
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode answer: %w", err)
	}
	return bytes.TrimSpace(out.Bytes()), nil
}
