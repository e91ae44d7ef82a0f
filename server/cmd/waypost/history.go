package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/output"
)

// Most revisions that one request asks for, and the preset of --limit.
const (
	revisionsPage   = 500
	revisionsPreset = 50
)

func (c *cli) history() *cobra.Command {
	var format string
	var limit int
	cmd := &cobra.Command{
		Use:   "history KIND NAME|KIND/NAME|REF",
		Short: "Tell how an entity came to be what it is",
		Long: `History lists the revisions of an entity, newest first: when, by whom, by which
way and commit, and what changed. It goes back through changes of the entity's
name. An entity that was removed has a history too.

With -o json, the answer is {"revisions":[…]}, each with its changes.`,
		Example: "  waypost history component checkout\n  waypost history component:default/checkout -o json --limit 5",
		Args:    cobra.RangeArgs(1, 2),
	}
	t := targetFlags(cmd)
	formatFlag(cmd, &format, "table", "table", "json", "yaml")
	cmd.Flags().IntVar(&limit, "limit", revisionsPreset, "most revisions to list; 0 for all")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if limit < 0 {
			return usagef("--limit is %d; write a number from 0", limit)
		}
		ctx := cmd.Context()
		kind, name, err := splitTarget(args)
		if err != nil {
			return err
		}
		if name == "" {
			return usagef("%q names no entity; write KIND NAME or KIND:NAMESPACE/NAME", kind)
		}
		cl, err := t.connect(ctx, c)
		if err != nil {
			return err
		}
		defer cl.Close()
		ref, err := resolve(ctx, cl, kind, name)
		if err != nil {
			return err
		}
		req := &catalogv1.ListEntityRevisionsRequest{Name: "entities/" + ref.String(), WithChanges: true}
		var all []*catalogv1.EntityRevision
		var page *catalogv1.ListEntityRevisionsResponse
		for {
			req.PageSize = revisionsPage
			if limit > 0 {
				req.PageSize = int32(min(revisionsPage, limit-len(all)))
			}
			if page, err = cl.History.ListEntityRevisions(ctx, req); err != nil {
				return err
			}
			all = append(all, page.Revisions...)
			req.PageToken = page.NextPageToken
			if req.PageToken == "" || (limit > 0 && len(all) >= limit) {
				break
			}
		}
		if format != "table" {
			return c.revisionList(format, all)
		}
		if err := c.out.Table([]string{"REVISION", "TIME", "WHO", "VIA", "COMMIT", "CHANGE"}, revisionRows(all)); err != nil {
			return err
		}
		switch {
		case req.PageToken != "":
			c.say("there are older ones; --limit 0 lists all")
		case page.Truncated:
			c.say("older revisions may have been given up by the retention policy")
		}
		return nil
	}
	return cmd
}

func (c *cli) revisionList(format string, all []*catalogv1.EntityRevision) error {
	list := c.out.JSONList("revisions")
	if format == "yaml" {
		list = c.out.YAMLList("revisions")
	}
	for _, r := range all {
		if err := list.Add(r); err != nil {
			return err
		}
	}
	return list.End()
}

func revisionRows(all []*catalogv1.EntityRevision) [][]string {
	var rows [][]string
	for _, r := range all {
		commit := r.GetCause().GetCommit()
		if commit == "" && r.Op != catalogv1.EntityRevision_OP_REMOVED {
			commit = r.GetOrigin().GetCommit()
		}
		rows = append(rows, []string{
			strconv.FormatInt(r.Revision, 10), r.GetTime().AsTime().Format(time.RFC3339), orDash(r.GetCause().GetActor()),
			orDash(r.GetCause().GetVia()), orDash(commit[:min(len(commit), 8)]), revisionWords(r),
		})
	}
	return rows
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// wordsFor bounds how many changed fields are named, and how long a value is told.
const (
	wordsFor   = 3
	valueWidth = 32
)

// revisionWords says what a revision did in a few words.
func revisionWords(r *catalogv1.EntityRevision) string {
	switch {
	case r.Op == catalogv1.EntityRevision_OP_REMOVED && r.RenamedRef != "":
		return "renamed to " + r.RenamedRef
	case r.Op == catalogv1.EntityRevision_OP_REMOVED:
		return "removed"
	case r.Op == catalogv1.EntityRevision_OP_ADDED:
		return "added"
	case r.Op == catalogv1.EntityRevision_OP_UNSPECIFIED && r.RenamedRef == "":
		return "oldest that is kept"
	}
	var words []string
	if r.RenamedRef != "" {
		words = append(words, "renamed from "+r.RenamedRef)
	}
	for i, f := range r.Changes {
		if r.RenamedRef != "" && f.Field == "metadata.name" {
			continue
		}
		if i >= wordsFor {
			words = append(words, fmt.Sprintf("%d more", len(r.Changes)-i))
			break
		}
		words = append(words, fieldWords(f))
	}
	if len(words) == 0 && r.Op == catalogv1.EntityRevision_OP_FACTS {
		return "relations that plugins found"
	}
	if len(words) == 0 {
		return "moved to another place"
	}
	return strings.Join(words, ", ")
}

func fieldWords(f *catalogv1.FieldChange) string {
	switch {
	case f.Before == nil:
		return f.Field + " added"
	case f.After == nil:
		return f.Field + " removed"
	}
	before, ok := valueWords(f.Before)
	after, ok2 := valueWords(f.After)
	if !ok || !ok2 {
		return f.Field + " changed"
	}
	return f.Field + ": " + before + " → " + after
}

// valueWords is a short value as text.
func valueWords(v *structpb.Value) (string, bool) {
	switch k := v.Kind.(type) {
	case *structpb.Value_StringValue:
		return k.StringValue, len(k.StringValue) <= valueWidth && !strings.Contains(k.StringValue, "\n")
	case *structpb.Value_NumberValue, *structpb.Value_BoolValue:
		b, err := protojson.Marshal(v)
		return string(b), err == nil
	}
	return "", false
}

// asOf is a point of the past: a revision or a time.
type asOf struct {
	revision int64
	time     *timestamppb.Timestamp
}

// parseAsOf reads a revision's number, a time, a day (its beginning in UTC), or
// how long ago.
func parseAsOf(s string, now time.Time) (asOf, error) {
	if s == "" {
		return asOf{}, nil
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n > 0 {
		return asOf{revision: n}, nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return asOf{time: timestamppb.New(t)}, nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return asOf{time: timestamppb.New(now.Add(-d))}, nil
	}
	return asOf{}, usagef("--as-of %q is neither a revision's number, nor a time such as 2026-11-23T15:04:05Z or 2026-11-23 (in UTC), nor how long ago, such as 36h", output.Clean(s))
}
