package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/timestamppb"

	ownershipv1 "github.com/waypost-dev/waypost/proto/waypost/ownership/v1"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/client"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/output"
	"github.com/waypost-dev/waypost/server/source/gitdir"
)

func (c *cli) owner() *cobra.Command {
	var format, set, reason, actor string
	var explain, clear, verify bool
	var expires time.Duration
	var dismiss bool
	cmd := &cobra.Command{
		Use:   "owner REF",
		Short: "Say who owns an entity, and why",
		Long: `Owner says who owns an entity. With --explain it shows every candidate with its
evidence, and why it is not the owner.

A person may decide: --set names the owner above all evidence, --clear takes
that back, --verify records that it is still theirs, --dismiss-drift that a
difference between declaration and evidence is as it should be.`,
		Example: `  waypost owner component:default/web
  waypost owner web --explain
  waypost owner web --set group:default/shop --reason "moved in the reorganisation" --expires 720h
  waypost owner web --verify`,
		Args: cobra.ExactArgs(1),
	}
	t := serverFlag(cmd)
	formatFlag(cmd, &format, "table", "table", "json", "yaml")
	f := cmd.Flags()
	f.BoolVar(&explain, "explain", false, "show every candidate, its evidence, and why it lost")
	f.StringVar(&set, "set", "", "decide: this group or user is the owner")
	f.StringVar(&reason, "reason", "", "why; needed with --set and --dismiss-drift")
	f.DurationVar(&expires, "expires", 0, "with --set, how long that holds; for ever if 0")
	f.BoolVar(&clear, "clear", false, "take a decision back")
	f.BoolVar(&verify, "verify", false, "record that it is still the owner's")
	f.BoolVar(&dismiss, "dismiss-drift", false, "record that a drift is as it should be, for 90 days")
	f.StringVar(&actor, "as", "", "who decides (default: the user of this machine)")
	cmd.MarkFlagsMutuallyExclusive("set", "clear", "verify", "dismiss-drift")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ref, err := catalog.ParseRef(args[0], catalog.RefContext{Kind: "component"})
		if err != nil {
			return usage(err)
		}
		if reason == "" && (set != "" || dismiss) {
			return usagef("say why, with --reason")
		}
		name := "entities/" + ref.Key()
		who := cmp.Or(actor, c.getenv("USER"), c.getenv("USERNAME"), "unknown")
		cl, err := t.connect(cmd.Context(), c)
		if err != nil {
			return err
		}
		defer cl.Close()
		var o *ownershipv1.Ownership
		switch ctx := cmd.Context(); {
		case set != "":
			req := &ownershipv1.SetOwnershipOverrideRequest{Name: name, Owner: set, Reason: reason, Actor: who}
			if expires > 0 {
				req.ExpireTime = timestamppb.New(time.Now().Add(expires))
			}
			answer, e := cl.Ownership.SetOwnershipOverride(ctx, req)
			o, err = answer.GetOwnership(), e
		case clear:
			answer, e := cl.Ownership.DeleteOwnershipOverride(ctx, &ownershipv1.DeleteOwnershipOverrideRequest{Name: name})
			o, err = answer.GetOwnership(), e
		case verify:
			answer, e := cl.Ownership.VerifyOwnership(ctx, &ownershipv1.VerifyOwnershipRequest{Name: name, Actor: who})
			o, err = answer.GetOwnership(), e
		case dismiss:
			answer, e := cl.Ownership.DismissDrift(ctx, &ownershipv1.DismissDriftRequest{Name: name, Reason: reason, Actor: who})
			o, err = answer.GetOwnership(), e
		default:
			answer, e := cl.Ownership.ExplainOwnership(ctx, &ownershipv1.ExplainOwnershipRequest{Name: name})
			o, err = answer.GetOwnership(), e
		}
		if err != nil {
			return err
		}
		switch format {
		case "json":
			return c.out.JSON(o)
		case "yaml":
			return c.out.YAML(o)
		}
		return c.showOwnership(o, explain)
	}
	return cmd
}

// ownerLine is the answer in one line.
func ownerLine(o *ownershipv1.Ownership) string {
	if o.GetOwnerRef() == "" {
		return fmt.Sprintf("%s: nobody owns it (%s)", o.GetEntityRef(), o.GetStatus())
	}
	s := fmt.Sprintf("%s: %s (%s, %.0f %%", o.GetEntityRef(), o.GetOwnerRef(), o.GetSource(), 100*o.GetConfidence())
	if o.GetStatus() != "owned" {
		s += ", " + o.GetStatus()
	}
	return s + ")"
}

func (c *cli) showOwnership(o *ownershipv1.Ownership, explain bool) error {
	fmt.Fprintln(c.out, output.Clean(ownerLine(o)))
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(c.out, "  %-14s %s\n", name+":", output.Clean(value))
		}
	}
	if o.GetDeclaredRef() != o.GetOwnerRef() {
		line("Declared", o.GetDeclaredRef())
	}
	if o.GetAccountableRef() != o.GetOwnerRef() {
		line("Accountable", o.GetAccountableRef())
	}
	for _, role := range slices.Sorted(maps.Keys(o.GetResponsibilities())) {
		line(strings.ToUpper(role[:1])+role[1:], o.GetResponsibilities()[role])
	}
	if d := o.GetDrift(); d != nil {
		text := fmt.Sprintf("%s did %.0f %% of the work of 90 days, in %d commits, since %s", d.GetEvidentRef(), 100*d.GetShare(), d.GetCommits(), d.GetSince().AsTime().Format(time.DateOnly))
		if d.GetDismissedUntil() != nil {
			text += fmt.Sprintf("; dismissed until %s by %s: %s", d.GetDismissedUntil().AsTime().Format(time.DateOnly), d.GetDismissedBy(), d.GetDismissedReason())
		}
		line("Drift", text)
	}
	if v := o.GetVerification(); v != nil {
		text := strings.ToLower(strings.TrimPrefix(v.GetState().String(), "STATE_"))
		if v.GetVerifyTime() != nil {
			text += fmt.Sprintf(", last on %s by %s", v.GetVerifyTime().AsTime().Format(time.DateOnly), v.GetActor())
		}
		line("Verification", text)
	}
	if explain {
		fmt.Fprintln(c.out)
		rows := make([][]string, 0, len(o.GetCandidates()))
		for _, x := range o.GetCandidates() {
			why := cmp.Or(x.GetRejectedBecause(), "it is the owner")
			rows = append(rows, []string{cmp.Or(x.GetOwnerRef(), "nobody"), x.GetSource(), fmt.Sprintf("%.0f %%", 100*x.GetConfidence()), why, evidenceLine(x.GetEvidence())})
			for i := 1; i < min(len(x.GetEvidence()), 5); i++ {
				rows = append(rows, []string{"", "", "", "", evidenceLine(x.GetEvidence()[i:])})
			}
		}
		if len(rows) == 0 {
			c.say("There is no evidence for anybody.")
		} else if err := c.out.Table([]string{"CANDIDATE", "SOURCE", "CONFIDENCE", "WHY", "EVIDENCE"}, rows); err != nil {
			return err
		}
	}
	for _, m := range o.GetMends() {
		fmt.Fprintf(c.out, "\n%s: %s\n", output.Clean(m.GetReason()), output.Clean(m.GetText()))
		for l := range strings.Lines(m.GetPatch()) {
			fmt.Fprintf(c.out, "    %s\n", output.Clean(strings.TrimRight(l, "\n")))
		}
	}
	return nil
}

// evidenceLine is the first piece of evidence, with its place.
func evidenceLine(list []*ownershipv1.Evidence) string {
	if len(list) == 0 {
		return ""
	}
	e := list[0]
	text := e.GetText()
	if e.GetPath() != "" {
		place := e.GetPath()
		if e.GetRepository() != "" {
			place = e.GetRepository() + "/" + place
		}
		if e.GetLine() > 0 {
			place = fmt.Sprintf("%s:%d", place, e.GetLine())
		}
		text += " (" + place + ")"
	}
	return text
}

func (c *cli) whoowns() *cobra.Command {
	var format, repository string
	cmd := &cobra.Command{
		Use:   "whoowns PATH|URL",
		Short: "Say who owns a file or folder, or an address of one",
		Long: `Whoowns says who owns a path: what CODEOWNERS says of it, and the entities that it
belongs to with their owners. The repository is that of the clone in which the
path is, by its remote named origin; or name one with --repository. An address,
as copied from a browser, names both.`,
		Example: `  waypost whoowns services/web/main.go
  waypost whoowns https://github.com/acme/shop/blob/main/services/web/main.go
  waypost whoowns services/web --repository acme/shop`,
		Args: cobra.ExactArgs(1),
	}
	t := serverFlag(cmd)
	formatFlag(cmd, &format, "table", "table", "json", "yaml")
	cmd.Flags().StringVar(&repository, "repository", "", "owner/name of the repository")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		req := &ownershipv1.FindOwnerRequest{Repository: repository, Path: args[0]}
		switch {
		case strings.Contains(args[0], "://"):
			req.Repository, req.Path = args[0], ""
		case repository == "":
			var err error
			if req.Repository, req.Path, err = inClone(args[0]); err != nil {
				return usage(err)
			}
		}
		cl, err := t.connect(cmd.Context(), c)
		if err != nil {
			return err
		}
		defer cl.Close()
		answer, err := cl.Ownership.FindOwner(cmd.Context(), req)
		if err != nil {
			return err
		}
		switch format {
		case "json":
			return c.out.JSON(answer)
		case "yaml":
			return c.out.YAML(answer)
		}
		place := answer.GetRepository()
		if answer.GetPath() != "" {
			place += "/" + answer.GetPath()
		}
		switch e := answer.GetCodeownersEvidence(); {
		case e == nil:
			fmt.Fprintf(c.out, "%s: CODEOWNERS says nothing of it\n", output.Clean(place))
		case len(answer.GetCodeowners()) == 0:
			fmt.Fprintf(c.out, "%s: nobody, by %s:%d\n", output.Clean(place), output.Clean(e.GetPath()), e.GetLine())
		default:
			fmt.Fprintf(c.out, "%s: %s, by %s:%d\n", output.Clean(place), output.Clean(strings.Join(answer.GetCodeowners(), " ")), output.Clean(e.GetPath()), e.GetLine())
		}
		for _, o := range answer.GetEntities() {
			fmt.Fprintln(c.out, output.Clean(ownerLine(o)))
		}
		if len(answer.GetEntities()) == 0 {
			c.say("No entity of the catalog has this path.")
		}
		return nil
	}
	return cmd
}

// inClone finds the clone that a path is in, and the path in it.
func inClone(path string) (repository, inside string, err error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", "", err
	}
	for dir := abs; ; {
		if st, err := os.Stat(dir); err == nil && st.IsDir() {
			if name, ok := gitdir.FullName(dir); ok {
				inside, err := filepath.Rel(dir, abs)
				if err != nil {
					return "", "", err
				}
				if inside = filepath.ToSlash(inside); inside == "." {
					inside = ""
				}
				return name, inside, nil
			}
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", "", fmt.Errorf("%s is not in a git clone; name the repository with --repository OWNER/NAME", path)
		}
		dir = up
	}
}

func (c *cli) ownership() *cobra.Command {
	cmd := &cobra.Command{
		Use: "ownership", Short: "Report how far ownership is known", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.ownershipReport(), c.ownershipOwned())
	return cmd
}

func (c *cli) ownershipReport() *cobra.Command {
	var format string
	req := &ownershipv1.GetOwnershipReportRequest{}
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Count who owns what, and name what nobody owns",
		Long: `Report counts the entities that are meant to have an owner: by where the owner
comes from, by what is wrong, and for each group, system, domain and kind. It
names those that are not as they should be.`,
		Example: `  waypost ownership report
  waypost ownership report --filter 'entity.kind == "API"' -o markdown
  waypost ownership report --days 30 -o json`,
		Args: cobra.NoArgs,
	}
	t := serverFlag(cmd)
	formatFlag(cmd, &format, "table", "table", "json", "yaml", "markdown")
	cmd.Flags().StringVar(&req.Filter, "filter", "", "CEL, as for waypost get")
	cmd.Flags().Int32Var(&req.Days, "days", 0, "also how it was on each of the last so many days")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cl, err := t.connect(cmd.Context(), c)
		if err != nil {
			return err
		}
		defer cl.Close()
		r, err := cl.Ownership.GetOwnershipReport(cmd.Context(), req)
		if err != nil {
			return err
		}
		switch format {
		case "json":
			return c.out.JSON(r)
		case "yaml":
			return c.out.YAML(r)
		}
		return c.showCoverage(r, format == "markdown")
	}
	return cmd
}

// ownedShare is the part with an owner, for people.
func ownedShare(c *ownershipv1.Coverage) string {
	if c.GetEntities() == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f %%", 100*float64(c.GetOwned())/float64(c.GetEntities()))
}

func (c *cli) showCoverage(r *ownershipv1.GetOwnershipReportResponse, markdown bool) error {
	section := func(title string, head []string, rows [][]string) error {
		if len(rows) == 0 {
			return nil
		}
		if markdown {
			fmt.Fprintf(c.out, "\n## %s\n\n| %s |\n|%s\n", title, strings.Join(head, " | "), strings.Repeat("---|", len(head)))
			for _, row := range rows {
				for i := range row {
					row[i] = strings.ReplaceAll(output.Clean(row[i]), "|", `\|`)
				}
				fmt.Fprintf(c.out, "| %s |\n", strings.Join(row, " | "))
			}
			return nil
		}
		fmt.Fprintln(c.out)
		return c.out.Table(head, rows)
	}
	total := r.GetTotal()
	summary := fmt.Sprintf("%d of %d entities have an owner (%s); %d drift", total.GetOwned(), total.GetEntities(), ownedShare(total), total.GetDrifting())
	if markdown {
		summary = "# Ownership\n\n" + summary + "."
	}
	fmt.Fprintln(c.out, summary)
	counts := func(m map[string]int64) [][]string {
		var rows [][]string
		keys := slices.Sorted(maps.Keys(m))
		slices.SortStableFunc(keys, func(a, b string) int { return cmp.Compare(m[b], m[a]) })
		for _, k := range keys {
			rows = append(rows, []string{k, fmt.Sprint(m[k])})
		}
		return rows
	}
	if err := section("Where the owner comes from", []string{"SOURCE", "ENTITIES"}, counts(total.GetSources())); err != nil {
		return err
	}
	if err := section("How it stands", []string{"STATUS", "ENTITIES"}, counts(total.GetStatuses())); err != nil {
		return err
	}
	led := false
	for _, x := range r.GetGroups() {
		led = led || x.GetLeadRef() != ""
	}
	for _, by := range []struct {
		title string
		rows  []*ownershipv1.CoverageRow
	}{{"Group", r.GetGroups()}, {"System", r.GetSystems()}, {"Domain", r.GetDomains()}, {"Kind", r.GetKinds()}} {
		var rows [][]string
		for _, x := range by.rows {
			v := x.GetCoverage()
			rows = append(rows, []string{
				x.GetOf(), fmt.Sprint(v.GetEntities()), ownedShare(v), fmt.Sprint(v.GetSources()["declared"]),
				fmt.Sprint(v.GetEntities() - v.GetStatuses()["owned"]), fmt.Sprint(v.GetDrifting()),
			})
			if led && by.title == "Group" {
				rows[len(rows)-1] = append(rows[len(rows)-1], x.GetLeadRef())
			}
		}
		head := []string{strings.ToUpper(by.title), "ENTITIES", "OWNED", "DECLARED", "WRONG", "DRIFT"}
		if led && by.title == "Group" {
			head = append(head, "LEAD")
		}
		if err := section("By "+strings.ToLower(by.title), head, rows); err != nil {
			return err
		}
	}
	var rows [][]string
	for _, u := range r.GetUnowned() {
		rows = append(rows, []string{u.GetEntityRef(), u.GetStatus(), u.GetDeclaredRef(), u.GetCandidateRef()})
	}
	if err := section("What is not as it should be", []string{"ENTITY", "STATUS", "DECLARED", "OWNER"}, rows); err != nil {
		return err
	}
	rows = nil
	for _, s := range r.GetSamples() {
		v := s.GetCoverage()
		rows = append(rows, []string{s.GetTime().AsTime().Format(time.DateOnly), fmt.Sprint(v.GetEntities()), ownedShare(v), fmt.Sprint(v.GetStatuses()["unowned"]), fmt.Sprint(v.GetDrifting())})
	}
	return section("Over time", []string{"DAY", "ENTITIES", "OWNED", "UNOWNED", "DRIFT"}, rows)
}

func (c *cli) ownershipOwned() *cobra.Command {
	var format string
	var direct bool
	cmd := &cobra.Command{
		Use:   "of REF",
		Short: "List what a group or user owns, with the groups below it",
		Example: `  waypost ownership of group:default/shop
  waypost ownership of user:default/ada --direct`,
		Args: cobra.ExactArgs(1),
	}
	t := serverFlag(cmd)
	formatFlag(cmd, &format, "table", "table", "json", "yaml", "name")
	cmd.Flags().BoolVar(&direct, "direct", false, "only what it owns itself")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ref, err := catalog.ParseRef(args[0], catalog.RefContext{Kind: "group"})
		if err != nil {
			return usage(err)
		}
		cl, err := t.connect(cmd.Context(), c)
		if err != nil {
			return err
		}
		defer cl.Close()
		return c.showOwned(cmd.Context(), cl, &ownershipv1.ListOwnedRequest{Name: "entities/" + ref.Key(), Direct: direct}, format)
	}
	return cmd
}

func (c *cli) showOwned(ctx context.Context, cl *client.Client, req *ownershipv1.ListOwnedRequest, format string) error {
	answer, err := cl.Ownership.ListOwned(ctx, req)
	if err != nil {
		return err
	}
	switch format {
	case "json":
		return c.out.JSON(answer)
	case "yaml":
		return c.out.YAML(answer)
	}
	rows := make([][]string, len(answer.GetOwned()))
	for i, o := range answer.GetOwned() {
		if format == "name" {
			fmt.Fprintln(c.out, output.Clean(o.GetEntityRef()))
		}
		rows[i] = []string{o.GetEntityRef(), o.GetOwnerRef(), o.GetSource(), fmt.Sprintf("%.0f %%", 100*o.GetConfidence()), o.GetStatus()}
	}
	switch {
	case format == "name":
		return nil
	case len(rows) == 0:
		c.say("Nothing is owned by %s.", output.Clean(strings.Join(answer.GetOwnerRefs(), ", ")))
		return nil
	}
	return c.out.Table([]string{"ENTITY", "OWNER", "SOURCE", "CONFIDENCE", "STATUS"}, rows)
}
