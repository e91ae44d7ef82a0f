package githubtest_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/github"
	"github.com/waypost-dev/waypost/server/source/githubtest"
)

// Serve an organisation, and harvest it as one would github.com.
func Example() {
	org := githubtest.NewOrg("acme")
	org.Add(githubtest.NewRepo("shop", githubtest.File{Path: "catalog-info.yaml", Content: []byte("kind: Component\n")}))
	server := githubtest.NewServer(org, githubtest.Options{Enterprise: true})
	web := httptest.NewServer(server)
	defer web.Close()

	src, err := github.New(github.Options{Organisation: "acme", URL: web.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := src.Harvest(context.Background(), nothing{}, printer{}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// acme/shop has catalog-info.yaml
	// complete
}

type nothing struct{}

func (nothing) Repository(string) (source.RepositoryState, bool) {
	return source.RepositoryState{}, false
}

type printer struct{}

func (printer) Expect(int)                                          {}
func (printer) Unchanged(context.Context, string) error             { return nil }
func (printer) Keep(context.Context, string, catalog.Problem) error { return nil }
func (printer) Gone(context.Context, string) error                  { return nil }
func (printer) Directory(context.Context, source.Directory) error   { return nil }
func (printer) Problem(p catalog.Problem)                           { fmt.Println(p.Message) }
func (printer) Spent(source.Budget)                                 {}
func (printer) Complete(context.Context) error                      { fmt.Println("complete"); return nil }
func (printer) Repository(_ context.Context, r source.Repository) error {
	for _, d := range r.Documents {
		fmt.Println(r.FullName(), "has", d.Path)
	}
	return nil
}
