package githubtest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"go.yaml.in/yaml/v3"
)

type orgFile struct {
	Login       string              `yaml:"login"`
	Name        string              `yaml:"name"`
	Description string              `yaml:"description"`
	Repos       map[string]repoFile `yaml:"repos"`
	Teams       []struct {
		Slug        string            `yaml:"slug"`
		Name        string            `yaml:"name"`
		Description string            `yaml:"description"`
		Parent      string            `yaml:"parent"`
		Privacy     string            `yaml:"privacy"`
		Members     []string          `yaml:"members"`
		Repos       map[string]string `yaml:"repos"`
	} `yaml:"teams"`
	Users []struct {
		Login string `yaml:"login"`
		Name  string `yaml:"name"`
		Email string `yaml:"email"`
	} `yaml:"users"`
}

type repoFile struct {
	Description   string            `yaml:"description"`
	Homepage      string            `yaml:"homepage"`
	Topics        []string          `yaml:"topics"`
	Properties    map[string]any    `yaml:"properties"` // custom ones: strings, lists of strings, null
	Visibility    string            `yaml:"visibility"`
	Archived      bool              `yaml:"archived"`
	Fork          bool              `yaml:"fork"`
	Template      bool              `yaml:"template"`
	DefaultBranch string            `yaml:"defaultBranch"`
	License       string            `yaml:"license"`
	Languages     map[string]int64  `yaml:"languages"`
	CreatedAt     time.Time         `yaml:"createdAt"`
	PushedAt      time.Time         `yaml:"pushedAt"`
	Stars         int               `yaml:"stars"`
	OpenIssues    int               `yaml:"openIssues"`
	Teams         map[string]string `yaml:"teams"`
}

var permissions = []string{"pull", "triage", "push", "maintain", "admin"}

// LoadFS reads an organisation in the format that the package's comment
// describes. A mistake in org.yaml is an error that names it.
func LoadFS(fsys fs.FS) (*Org, error) {
	file, err := fsys.Open("org.yaml")
	if err != nil {
		return nil, fmt.Errorf("open the organisation: %w", err)
	}
	defer file.Close()
	var doc orgFile
	decoder := yaml.NewDecoder(file)
	decoder.KnownFields(true)
	if err := decoder.Decode(&doc); err != nil {
		return nil, fmt.Errorf("org.yaml: %w", err)
	}
	if doc.Login == "" {
		return nil, errors.New("org.yaml: login is missing; name the organisation, for example login: acme")
	}
	org := NewOrg(doc.Login)
	org.Description = doc.Description
	if doc.Name != "" {
		org.Name = doc.Name
	}
	folders, err := fs.ReadDir(fsys, "repos")
	if err != nil {
		return nil, fmt.Errorf("list the repositories: %w", err)
	}
	for _, f := range folders {
		if !f.IsDir() {
			continue
		}
		about := doc.Repos[f.Name()]
		delete(doc.Repos, f.Name())
		repo, err := loadRepo(fsys, "repos", f.Name(), about)
		if err != nil {
			return nil, fmt.Errorf("repos/%s: %w", f.Name(), err)
		}
		org.Repos = append(org.Repos, repo)
	}
	for name := range doc.Repos {
		return nil, fmt.Errorf("org.yaml: repos.%s has no folder repos/%s", name, name)
	}
	for _, t := range doc.Teams {
		org.Teams = append(org.Teams, &Team{Slug: t.Slug, Name: t.Name, Description: t.Description, Parent: t.Parent, Privacy: t.Privacy, Members: t.Members})
	}
	for _, u := range doc.Users {
		org.Users = append(org.Users, &User{Login: u.Login, Name: u.Name, Email: u.Email})
	}
	org.settle()
	for _, t := range doc.Teams {
		for name, permission := range t.Repos {
			repo := org.repo(name)
			if repo == nil {
				return nil, fmt.Errorf("org.yaml: team %q has a permission on %q, which is not a repository here", t.Name, name)
			}
			if repo.Teams == nil {
				repo.Teams = map[string]string{}
			}
			slug := t.Slug
			if slug == "" {
				slug = strings.ReplaceAll(strings.ToLower(t.Name), " ", "-")
			}
			repo.Teams[slug] = permission
		}
	}
	return org, org.check()
}

// check finds references to teams that do not exist, and unknown words.
func (o *Org) check() error {
	for _, t := range o.Teams {
		if t.Parent != "" && o.team(t.Parent) == nil {
			return fmt.Errorf("org.yaml: team %q has the parent %q, which is not a team here", t.Slug, t.Parent)
		}
	}
	for _, r := range o.Repos {
		if !slices.Contains([]string{"public", "private", "internal"}, r.Visibility) {
			return fmt.Errorf("org.yaml: repos.%s.visibility is %q; write public, private or internal", r.Name, r.Visibility)
		}
		for slug, permission := range r.Teams {
			if o.team(slug) == nil {
				return fmt.Errorf("org.yaml: repos.%s.teams names %q, which is not a team here", r.Name, slug)
			}
			if !slices.Contains(permissions, permission) {
				return fmt.Errorf("org.yaml: repos.%s.teams.%s is %q; write one of %s", r.Name, slug, permission, strings.Join(permissions, ", "))
			}
		}
	}
	return nil
}

func loadRepo(fsys fs.FS, dir, name string, about repoFile) (*Repo, error) {
	repo := &Repo{
		Name: name, Description: about.Description, Homepage: about.Homepage, Topics: about.Topics, Properties: about.Properties,
		Visibility: about.Visibility, Archived: about.Archived, Fork: about.Fork, Template: about.Template,
		DefaultBranch: about.DefaultBranch, License: about.License, Languages: about.Languages,
		CreatedAt: about.CreatedAt, PushedAt: about.PushedAt, Stars: about.Stars, OpenIssues: about.OpenIssues,
		Teams: about.Teams,
	}
	if repo.DefaultBranch == "" {
		repo.DefaultBranch = "main"
	}
	if repo.PushedAt.IsZero() {
		repo.PushedAt = epoch
	}
	if repo.CreatedAt.IsZero() || repo.CreatedAt.After(repo.PushedAt) {
		repo.CreatedAt = repo.PushedAt
	}
	var files []File
	root := path.Join(dir, name)
	err := fs.WalkDir(fsys, root, func(at string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(fsys, at)
		if err != nil {
			return err
		}
		if inside := strings.TrimPrefix(at, root+"/"); inside != ".empty" {
			files = append(files, File{Path: inside, Content: content})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(files) > 0 {
		repo.Branches = map[string]*Tree{repo.DefaultBranch: NewTree(files, repo.PushedAt, "")}
	}
	return repo, nil
}

// LoadClones makes an organisation of the git clones that stand in dir, bare
// or not, one in each folder, at their HEAD. It has the name of dir. Blobs are
// read when they are asked for, so the clones must stay.
func LoadClones(dir string) (*Org, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", dir, err)
	}
	folders, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("list clones: %w", err)
	}
	org := NewOrg(filepath.Base(dir))
	for _, f := range folders {
		if !f.IsDir() {
			continue
		}
		clone, err := git.PlainOpen(filepath.Join(dir, f.Name()))
		if errors.Is(err, git.ErrRepositoryNotExists) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("open clone %s: %w", f.Name(), err)
		}
		repo, err := loadClone(strings.TrimSuffix(f.Name(), ".git"), clone)
		if err != nil {
			return nil, fmt.Errorf("read clone %s: %w", f.Name(), err)
		}
		org.Repos = append(org.Repos, repo)
	}
	org.settle()
	return org, nil
}

func loadClone(name string, clone *git.Repository) (*Repo, error) {
	repo := &Repo{Name: name, DefaultBranch: "main"}
	symbolic, err := clone.Reference(plumbing.HEAD, false)
	if err != nil {
		return nil, err
	}
	if branch := symbolic.Target().Short(); symbolic.Type() == plumbing.SymbolicReference && branch != "" {
		repo.DefaultBranch = branch
	}
	head, err := clone.Head()
	if errors.Is(err, plumbing.ErrReferenceNotFound) {
		return repo, nil // no commit yet
	}
	if err != nil {
		return nil, err
	}
	commit, err := clone.CommitObject(head.Hash())
	if err != nil {
		return nil, err
	}
	tree, err := commit.Tree()
	if err != nil {
		return nil, err
	}
	b := newBuilder()
	var mu sync.Mutex // go-git's object storage is not safe for concurrent use
	walker := object.NewTreeWalker(tree, true, nil)
	defer walker.Close()
	for {
		at, e, err := walker.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if e.Mode == filemode.Dir {
			continue
		}
		file := &entry{mode: Mode(e.Mode), oid: e.Hash.String()}
		if e.Mode != filemode.Submodule {
			size, err := clone.Storer.EncodedObjectSize(e.Hash)
			if err != nil {
				return nil, err
			}
			file.size = size
			file.read = func() ([]byte, error) {
				mu.Lock()
				defer mu.Unlock()
				return readBlob(clone, e.Hash)
			}
		}
		b.add(at, file)
	}
	repo.PushedAt = commit.Committer.When.UTC()
	repo.CreatedAt = repo.PushedAt
	repo.Branches = map[string]*Tree{repo.DefaultBranch: b.tree(commit.Hash.String(), repo.PushedAt, "", "")}
	return repo, nil
}

func readBlob(clone *git.Repository, id plumbing.Hash) ([]byte, error) {
	blob, err := clone.BlobObject(id)
	if err != nil {
		return nil, err
	}
	r, err := blob.Reader()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// LoadFolders makes an organisation of plain folders: each one in fsys is a
// repository.
func LoadFolders(login string, fsys fs.FS) (*Org, error) {
	folders, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, fmt.Errorf("list the folders: %w", err)
	}
	org := NewOrg(login)
	for _, f := range folders {
		if !f.IsDir() {
			continue
		}
		repo, err := loadRepo(fsys, ".", f.Name(), repoFile{})
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", f.Name(), err)
		}
		org.Repos = append(org.Repos, repo)
	}
	org.settle()
	return org, nil
}
