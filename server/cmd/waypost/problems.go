package main

import (
	"github.com/spf13/cobra"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/report"
)

func (c *cli) problems() *cobra.Command {
	var format, severity, entity string
	var fail bool
	req := &catalogv1.ListProblemsRequest{}
	cmd := &cobra.Command{
		Use:   "problems",
		Short: "Tell what is wrong in the catalog, on which line, and how to mend it",
		Long: `Problems lists what is wrong in the catalog. It exits with 0 whatever it finds;
with --fail it exits with 1 if one of the problems keeps an entity out of the
catalog. With -o json, the answer is {"problems":[…]}.`,
		Args: cobra.NoArgs,
	}
	t := targetFlags(cmd)
	formatFlag(cmd, &format, "table", report.Formats...)
	f := cmd.Flags()
	f.StringVar(&req.Source, "source", "", "of this source only, such as github:acme")
	f.StringVar(&req.Repository, "repository", "", "in this repository only, OWNER/NAME")
	f.StringVar(&entity, "entity", "", "of this entity only, KIND:NAMESPACE/NAME")
	f.StringVar(&req.Code, "code", "", "of this kind only, such as dangling-relation")
	f.BoolVar(&fail, "fail", false, "exit with 1 if there are errors")
	choiceFlag(cmd, "severity", "", &severity, "of this severity only", severities)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cl, err := t.connect(cmd.Context(), c)
		if err != nil {
			return err
		}
		defer cl.Close()
		if entity != "" {
			kind, name, err := splitTarget([]string{entity})
			if err != nil {
				return err
			}
			ref, err := resolve(cmd.Context(), cl, kind, name)
			if err != nil {
				return err
			}
			req.EntityRef = ref.Key()
		}
		switch catalog.Severity(severity) {
		case catalog.SeverityError:
			req.Severity = catalogv1.Severity_SEVERITY_ERROR
		case catalog.SeverityWarning:
			req.Severity = catalogv1.Severity_SEVERITY_WARNING
		}
		list, err := cl.Problems(cmd.Context(), req)
		if err != nil {
			return err
		}
		problems := fromProto(list)
		if err := report.Print(c.out, format, buildVersion().Version, problems); err != nil {
			return err
		}
		wrong := report.Errors(problems)
		if format == "table" || format == "wide" {
			c.say("%d errors, %d warnings", wrong, len(problems)-wrong)
		}
		if fail && wrong > 0 {
			return errFindings
		}
		return nil
	}
	return cmd
}

func fromProto(list []*catalogv1.Problem) []catalog.Problem {
	out := make([]catalog.Problem, len(list))
	for i, p := range list {
		severity := catalog.SeverityWarning
		if p.GetSeverity() == catalogv1.Severity_SEVERITY_ERROR {
			severity = catalog.SeverityError
		}
		out[i] = catalog.Problem{
			Code: catalog.Code(p.GetCode()), Severity: severity, Source: p.GetSource(), Repository: p.GetRepository(),
			Path: p.GetPath(), Line: int(p.GetLine()), Column: int(p.GetColumn()), Entity: p.GetEntityRef(),
			Field: p.GetField(), Message: p.GetMessage(), Hint: p.GetHint(),
		}
	}
	return out
}
