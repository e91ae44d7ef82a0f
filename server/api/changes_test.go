package api

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/store"
)

func TestListChanges(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	h := catalogv1.NewHistoryServiceClient(f.dial(t))
	none, err := h.ListChanges(t.Context(), &catalogv1.ListChangesRequest{})
	require.NoError(t, err)
	require.Empty(t, none.Revisions)
	require.Empty(t, none.NextPageToken)

	f.remember(t, declares(t, "r1", "shop", "One", ""))                                                                             // 1 put shop
	f.remember(t, declares(t, "r1", "shop", "Two", ""))                                                                             // 2 put shop
	f.remember(t, declares(t, "r1", "market", "Two", ""))                                                                           // 3 delete shop, 4 put market
	f.remember(t, declares(t, "r2", "shop", "Other", ""))                                                                           // 5 put shop
	f.remember(t, store.RepositoryUpdate{Repository: store.Repository{ID: "r2", Name: "acme/r2", State: "2", Facts: []byte("{}")}}) // 6 delete shop
	f.remember(t, declares(t, "r3", "pay", "Pay", ""))                                                                              // 7 put pay
	pay, _ := f.index.Snapshot().Get(catalog.Ref{Kind: "component", Namespace: "default", Name: "pay"})
	_, err = f.store.PutEnrichments(t.Context(), "test", []store.Enrichment{{UID: pay.Entity.UID, Ref: pay.Entity.Ref, Facts: []catalog.Fact{{Key: "test.x", Value: json.RawMessage("1")}}}})
	require.NoError(t, err) // 8 facts pay
	f.remember(t)

	list := func(req *catalogv1.ListChangesRequest) (out []string) {
		t.Helper()
		for range 20 {
			page, err := h.ListChanges(t.Context(), req)
			require.NoError(t, err)
			if req.PageSize > 0 {
				require.LessOrEqual(t, len(page.Revisions), int(req.PageSize))
			}
			for _, r := range page.Revisions {
				require.NotNil(t, r.Time)
				out = append(out, fmt.Sprint(r.Revision, " ", r.Op, " ", r.EntityRef, " ", r.RenamedRef))
			}
			if req.PageToken = page.NextPageToken; req.PageToken == "" {
				return out
			}
		}
		require.Fail(t, "the pages do not end")
		return nil
	}
	all := []string{
		"8 OP_FACTS component:default/pay ",
		"7 OP_ADDED component:default/pay ",
		"6 OP_REMOVED component:default/shop ",
		"5 OP_ADDED component:default/shop ",
		"4 OP_CHANGED component:default/market component:default/shop",
		"2 OP_CHANGED component:default/shop ",
		"1 OP_ADDED component:default/shop ",
	}
	for size := range int32(9) {
		require.Equal(t, all, list(&catalogv1.ListChangesRequest{IncludeFacts: true, PageSize: size}))
		require.Equal(t, all[1:], list(&catalogv1.ListChangesRequest{PageSize: size}))
		for filter, want := range map[string][]string{
			// As it is now, whatever it was called then; what is gone, as it was.
			`entity.metadata.name == "market"`:                  all[4:],
			`entity.metadata.name == "shop"`:                    all[2:4],
			`entity.metadata.title == "Two"`:                    all[4:],
			`"group:default/team" in relations.ownedBy`:         all[1:],
			`entity.metadata.title.startsWith("O")`:             all[2:4],
			`entity.status.level == "warning" && has(entity.x)`: nil,
			`entity.status.level == "warning"`:                  append(append([]string(nil), all[1]), all[4:]...), // whose owner does not exist
		} {
			require.Equal(t, want, list(&catalogv1.ListChangesRequest{Filter: filter, PageSize: size}), filter)
		}
	}
	first, err := h.ListChanges(t.Context(), &catalogv1.ListChangesRequest{PageSize: 1})
	require.NoError(t, err)
	require.Equal(t, "ada", first.Revisions[0].Cause.Actor)
	for field, bad := range map[string]*catalogv1.ListChangesRequest{
		"page_token": {PageToken: first.NextPageToken, IncludeFacts: true},
		"filter":     {Filter: "x ="},
		"page_size":  {PageSize: -1},
	} {
		_, err := h.ListChanges(t.Context(), bad)
		require.Equal(t, field, detail[*errdetails.BadRequest](t, err).FieldViolations[0].Field)
	}
	_, err = h.ListChanges(t.Context(), &catalogv1.ListChangesRequest{PageToken: "-1.x"})
	require.Error(t, err)
}

// TestListChangesIsBounded: a call looks at so many revisions, and goes on.
func TestListChangesIsBounded(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.remember(t, declares(t, "r0", "wanted", "0", ""))
	u := declares(t, "r1", "x", "0", "")
	e := u.Claims[0].Entity
	for i := range 3 * maxLookedAt / 2 {
		own := *e
		own.Ref.Name = fmt.Sprintf("x%05d", i)
		own.Document = fmt.Appendf(nil, `{"apiVersion":"v1","kind":"Component","metadata":{"name":%q,"namespace":"default"},"spec":{}}`, own.Ref.Name)
		u.Claims = append(u.Claims, store.Claim{Key: own.Ref.Name, Entity: &own})
	}
	f.remember(t, u)
	h := catalogv1.NewHistoryServiceClient(f.Conn())
	req := &catalogv1.ListChangesRequest{Filter: `entity.metadata.name == "wanted"`}
	page, err := h.ListChanges(t.Context(), req)
	require.NoError(t, err)
	require.Empty(t, page.Revisions)
	req.PageToken = page.NextPageToken
	page, err = h.ListChanges(t.Context(), req)
	require.NoError(t, err)
	require.Len(t, page.Revisions, 1)
	require.Empty(t, page.NextPageToken)
}
