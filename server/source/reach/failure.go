package reach

import (
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

// LeadsNowhere says that a symbolic link leads to no file of the repository.
func LeadsNowhere() error {
	return Fail("let the link point to a file of the same repository, by a relative path", "it is a symbolic link that leads to no file of the repository")
}

// TooMany says that a wildcard looks at too much.
func TooMany() error {
	return &Failure{Code: catalog.CodeTooLarge, Message: "there are more files or folders than can be searched", Hint: "name the folders in place of **"}
}
