// Package githubtest is a GitHub to test against: it serves one organisation
// in the shapes of GitHub's REST and GraphQL APIs, as far as a harvest uses
// them, with paging, ETags, rate limits that are really counted, GitHub Apps
// and faults on demand. The product serves its sample organisation with it, so
// that a first run without network takes the same path as a real one.
//
// What changes the organisation through its methods (Push, Rename, Grant …) is
// announced by webhook, if Org.Announce says to whom:
//
//	org.Announce(func(d githubtest.Delivery) { deliveries = append(deliveries, d) })
//	org.SetActor("ada")
//	org.Push("shop", githubtest.File{Path: "catalog-info.yaml", Content: text})
//	request.Header = deliveries[0].Header(secret) // signed
//
// Its replies and payloads are held against GitHub's own descriptions in
// truth_test.go and announce_test.go.
//
// # An organisation as a folder
//
// LoadFS reads an organisation from a folder with a file org.yaml and one
// folder below repos/ for each repository, which holds its files as they are
// at the head of the default branch:
//
//	org.yaml
//	repos/shop/catalog-info.yaml
//	repos/shop/cmd/shop/main.go
//
// A folder without files but for .empty is a repository without a commit. All
// keys of org.yaml but login may be left out, and it needs no entry for a
// repository that has nothing to say:
//
//	login: acme
//	name: Acme Corporation
//	description: We make everything.
//	repos:
//	  shop:
//	    description: The shop.
//	    homepage: https://shop.example
//	    topics: [go, checkout]
//	    properties: {owner: payments, regions: [eu, us]}
//	    visibility: private          # public (default), private or internal
//	    archived: false
//	    fork: false
//	    template: false
//	    defaultBranch: main
//	    license: Apache-2.0          # SPDX id
//	    languages: {Go: 12000}       # bytes; found from the files if left out
//	    createdAt: 2024-01-02T03:04:05Z
//	    pushedAt: 2026-05-06T07:08:09Z
//	    stars: 3
//	    openIssues: 1
//	    teams: {payments: maintain}  # pull, triage, push, maintain or admin
//	teams:
//	  - slug: payments               # made from name if left out
//	    name: Payments
//	    description: Money in, money out.
//	    parent: engineering          # slug
//	    privacy: closed              # closed (default) or secret
//	    members: [ada]               # logins of direct members
//	    repos: {shop: maintain}      # the same as teams: in a repository
//	users:
//	  - login: ada
//	    name: Ada Lovelace
//	    email: ada@acme.example
//
// Members that no user names become users with a login only.
package githubtest
