package github

import "github.com/waypost-dev/waypost/server/source"

var _ source.Brancher = (*Source)(nil)

// OnBranch returns the same organisation read at another branch. It shares the
// validators of requests, and nothing that a harvest knows.
func (s *Source) OnBranch(branch string) (source.Refresher, error) {
	o := s.o
	o.Branch, o.NoDirectory = branch, true
	return New(o)
}
