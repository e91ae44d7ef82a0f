package report

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/output"
)

// rules says what each kind of problem means.
var rules = map[catalog.Code]string{
	catalog.CodeSyntax:       "The file is not YAML.",
	catalog.CodeTooLarge:     "The file is over a bound of size, depth or aliases.",
	catalog.CodeEncoding:     "The file is not UTF-8 text.",
	catalog.CodeDuplicateKey: "A mapping names a key twice.",
	catalog.CodeEnvelope:     "The entity's apiVersion, kind or metadata is missing or wrong.",
	catalog.CodeField:        "A metadata field breaks its rule.",
	catalog.CodeSpec:         "The spec breaks the schema of its kind.",
	catalog.CodeReference:    "An entity reference cannot be read.",
	catalog.CodeUnknownKind:  "The entity's kind has no schema.",
	catalog.CodeNotAllowed:   "The entity's kind may not be declared here.",
	catalog.CodeUnreadable:   "The file cannot be read.",
	catalog.CodeConflict:     "Another file declares the same entity, and wins.",
	catalog.CodeDuplicateRef: "The file declares the same entity twice.",
	catalog.CodeDangling:     "A relation leads to an entity that does not exist.",
	catalog.CodeTemplate:     "The file holds template expressions that were never filled in.",
}

// sarifLog prints a log of the Static Analysis Results Interchange Format,
// version 2.1.0, as code scanning services read it. Paths are relative to the
// root of the repository.
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
func sarifLog(p *output.Printer, version string, problems []catalog.Problem) error {
	run := sarif.NewRunWithInformationURI("waypost", "https://github.com/waypost-dev/waypost")
	run.Tool.Driver.WithVersion(version)
	run.WithColumnKind("unicodeCodePoints")

	var codes []string
	for _, x := range problems {
		codes = append(codes, string(x.Code))
	}
	slices.Sort(codes)
	for _, code := range slices.Compact(codes) {
		text := rules[catalog.Code(code)]
		if text == "" {
			text = code
		}
		run.AddRule(code).WithShortDescription(sarif.NewMultiformatMessageString().WithText(text))
	}
	for _, x := range problems {
		level := "error"
		if x.Severity == catalog.SeverityWarning {
			level = "warning"
		}
		text := strings.TrimSuffix(x.Message, ".") + "."
		if x.Hint != "" {
			first, size := utf8.DecodeRuneInString(x.Hint)
			text += " " + string(unicode.ToUpper(first)) + x.Hint[size:] + "."
		}
		result := sarif.NewRuleResult(string(x.Code)).WithLevel(level).WithMessage(sarif.NewTextMessage(text))
		result.WithRuleIndex(run.GetRuleIndex(string(x.Code)))
		if l := location(x); l != nil {
			result.AddLocation(l)
		}
		run.AddResult(result)
	}
	log := sarif.NewReport()
	log.AddRun(run)
	b, err := json.MarshalIndent(log, "", "  ")
	if err != nil {
		return fmt.Errorf("encode SARIF: %w", err)
	}
	_, err = p.Write(append(b, '\n'))
	return err
}

func location(x catalog.Problem) *sarif.Location {
	l := sarif.NewLocation()
	if x.Entity != "" {
		l.AddLogicalLocation(sarif.NewLogicalLocation().WithFullyQualifiedName(strings.Trim(x.Entity+"#"+x.Field, "#")))
	}
	if x.Path == "" {
		if x.Entity == "" {
			return nil
		}
		return l
	}
	// String writes ./ before a colon in the first segment, which would read as
	// a scheme otherwise (RFC 3986 section 4.2).
	uri := (&url.URL{Path: x.Path}).String()
	artifact := sarif.NewArtifactLocation().WithURI(uri)
	if x.Repository == "" {
		artifact.WithURIBaseID("%SRCROOT%")
	} else {
		artifact.WithURIBaseID(x.Repository)
	}
	at := sarif.NewPhysicalLocation().WithArtifactLocation(artifact)
	if x.Line > 0 {
		region := sarif.NewRegion().WithStartLine(x.Line)
		if x.Column > 0 {
			region.WithStartColumn(x.Column)
		}
		at.WithRegion(region)
	}
	return l.WithPhysicalLocation(at)
}
