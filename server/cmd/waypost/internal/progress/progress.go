// Package progress shows how far harvests have come: bars on a terminal, plain
// lines elsewhere.
package progress

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// State is how far the harvest of one source has come.
type State struct {
	Source            string
	Expected, Seen    int // repositories; Expected is 0 if unknown
	Entities          int // that are new or changed
	Problems          int
	Remaining         int           // requests left; below 0 if unknown
	Waiting           time.Duration // because of a limit
	Started, Finished time.Time     // Finished is zero while it runs
	Error             string
}

// Left is the time that the rest will take at the pace so far; 0 if unknown.
func (s State) Left(now time.Time) time.Duration {
	if s.Seen == 0 || s.Expected <= s.Seen || s.Started.IsZero() {
		return 0
	}
	return now.Sub(s.Started) / time.Duration(s.Seen) * time.Duration(s.Expected-s.Seen)
}

// Text is the state in words, for the moment now.
func (s State) Text(now time.Time) string {
	repositories := fmt.Sprintf("%d repositories", s.Seen)
	if s.Expected > 0 {
		repositories = fmt.Sprintf("%d/%d repositories", s.Seen, s.Expected)
	}
	parts := []string{repositories}
	switch {
	case s.Error != "":
		parts = append(parts, "failed after "+round(s.Finished.Sub(s.Started)))
	case !s.Finished.IsZero():
		parts = append(parts, "done in "+round(s.Finished.Sub(s.Started)))
	case s.Waiting > 0:
		parts = append(parts, "waiting "+round(s.Waiting)+" for the request limit")
	default:
		if left := s.Left(now); left > 0 {
			parts = append(parts, round(left)+" to go")
		}
	}
	parts = append(parts, fmt.Sprintf("%d entities", s.Entities), fmt.Sprintf("%d problems", s.Problems))
	if s.Remaining >= 0 {
		parts = append(parts, fmt.Sprintf("%d requests left", s.Remaining))
	}
	return strings.Join(parts, ", ")
}

func round(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	default:
		return d.Round(time.Second).String()
	}
}

// interval is the least time between two lines about the same source.
const interval = 2 * time.Second

// Display shows the states of several harvests. It is safe for concurrent use.
type Display struct {
	out  io.Writer
	mu   sync.Mutex
	bars *mpb.Progress // nil if there is no terminal
	rows map[string]*row
}

type row struct {
	state State
	shown time.Time
	bar   *mpb.Bar
}

// New returns a Display on out; with terminal, it draws bars.
func New(out io.Writer, terminal bool) *Display {
	d := &Display{out: out, rows: map[string]*row{}}
	if terminal {
		d.bars = mpb.New(mpb.WithOutput(out), mpb.WithAutoRefresh(), mpb.WithRefreshRate(120*time.Millisecond))
	}
	return d
}

// Update shows the newest state of a source's harvest.
func (d *Display) Update(s State) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r, ok := d.rows[s.Source]
	if !ok {
		r = &row{}
		d.rows[s.Source] = r
		if d.bars != nil {
			r.bar = d.bars.New(0, mpb.BarStyle(), mpb.BarFillerTrim(), mpb.BarWidth(16),
				mpb.PrependDecorators(decor.Name(s.Source, decor.WCSyncSpaceR)),
				mpb.AppendDecorators(decor.Any(func(decor.Statistics) string {
					d.mu.Lock()
					defer d.mu.Unlock()
					return " " + r.state.Text(time.Now())
				})))
		}
	}
	finished := !s.Finished.IsZero() && r.state.Finished.IsZero()
	r.state = s
	if r.bar != nil {
		total := int64(max(s.Expected, s.Seen, 1))
		seen := int64(s.Seen)
		if finished {
			seen = total
		}
		r.bar.SetTotal(total, false)
		r.bar.SetCurrent(seen)
		if finished {
			r.bar.SetTotal(total, true)
		}
		return
	}
	now := time.Now()
	if !finished && (!s.Finished.IsZero() || now.Sub(r.shown) < interval) {
		return
	}
	r.shown = now
	fmt.Fprintf(d.out, "%s: %s\n", s.Source, s.Text(now))
}

// Close ends the display and leaves what it shows.
func (d *Display) Close() {
	if d.bars == nil {
		return
	}
	d.mu.Lock()
	for _, r := range d.rows {
		if r.bar != nil && r.state.Finished.IsZero() {
			r.bar.Abort(false)
		}
	}
	d.mu.Unlock()
	d.bars.Wait()
}
