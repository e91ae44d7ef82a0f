package reach

import (
	"errors"
	"fmt"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/source"
)

// Failure is an error with advice. It is the file's or the address's own: an
// error that is none, from a Tree, may be gone the next time.
type Failure struct {
	Code    catalog.Code // CodeUnreadable if empty
	Message string
	Hint    string
	Missing bool // there is positively nothing at that place, or nothing that we may see
	Denied  bool // the host is not one that may be read here; elsewhere it may be
}

func (f *Failure) Error() string { return f.Message }

// Fail makes a Failure.
func Fail(hint, format string, args ...any) error {
	return &Failure{Message: fmt.Sprintf(format, args...), Hint: hint}
}

// TooLarge says that a file has more than source.MaxDocument bytes.
func TooLarge() error {
	return &Failure{Code: catalog.CodeTooLarge, Message: fmt.Sprintf("it has more than %d bytes", source.MaxDocument), Hint: "split the file, and let a Location name its parts"}
}

// denied says that a host may not be read.
func denied(host string) error {
	return &Failure{Message: fmt.Sprintf("the host %s is not allowed to be read", host), Hint: "allow it with --read-allow " + host, Denied: true}
}

// LeadsNowhere says that a symbolic link leads to no file of the repository.
func LeadsNowhere() error {
	return Fail("let the link point to a file of the same repository, by a relative path", "it is a symbolic link that leads to no file of the repository")
}

// TooMany says that a wildcard looks at too much.
func TooMany() error {
	return &Failure{Code: catalog.CodeTooLarge, Message: "there are more files or folders than can be searched", Hint: "name the folders in place of **"}
}

func (r *walk) broken(s step, err error) { r.out.Problems = append(r.out.Problems, r.problem(s, err)) }

// problem is told at the line that names the target.
func (r *walk) problem(s step, err error) catalog.Problem {
	p := failed(err)
	p.Source, p.Repository, p.Severity = r.Source, r.Repository.FullName(), catalog.SeverityError
	var f *Failure
	if r.Tolerant && errors.As(err, &f) && f.Denied {
		p.Severity = catalog.SeverityWarning
	}
	if s.from != nil {
		p.Path, p.Line, p.Column, p.Field, p.Entity = s.from.Path, s.Line, s.Column, s.Field, s.Entity
		p.Message = fmt.Sprintf("target %.200q: %s", s.Text, p.Message)
	}
	return p
}

// failed is an error as a problem without a place.
func failed(err error) catalog.Problem {
	p := catalog.Problem{Code: catalog.CodeUnreadable, Message: "it could not be read: " + err.Error(), Hint: "the next harvest tries again"}
	var f *Failure
	if errors.As(err, &f) {
		p.Message, p.Hint = f.Message, f.Hint
		if f.Code != "" {
			p.Code = f.Code
		}
	}
	return p
}
