package remote

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Bounds of what of a plugin's output is logged.
const (
	maxLine        = 2 << 10 // bytes; the rest of the line is dropped
	linesPerSecond = 20
	linesBurst     = 200
)

// lines logs what is written to it, line by line and within bounds. Whatever is
// written is taken, so that the writer never waits for the log.
type lines struct {
	log    *slog.Logger
	stream string
	limit  *rate.Limiter

	mu      sync.Mutex
	line    []byte
	cut     bool // the current line is longer than line
	dropped int  // lines since the last that was logged
}

func newLines(log *slog.Logger, stream string, limit *rate.Limiter) *lines {
	return &lines{log: log, stream: stream, limit: limit}
}

func newLineLimit() *rate.Limiter { return rate.NewLimiter(linesPerSecond, linesBurst) }

// Write never fails.
func (l *lines) Write(p []byte) (int, error) {
	n := len(p)
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(p) > 0 {
		part, rest, ended := bytes.Cut(p, []byte("\n"))
		room := maxLine - len(l.line)
		l.cut = l.cut || len(part) > room
		l.line = append(l.line, part[:min(len(part), room)]...)
		p = rest
		if ended {
			l.flush()
		}
	}
	return n, nil
}

func (l *lines) flush() {
	text := strings.TrimRight(strings.ToValidUTF8(string(l.line), "\uFFFD"), "\r")
	cut := l.cut
	l.line, l.cut = l.line[:0], false
	if text == "" {
		return
	}
	if !l.limit.AllowN(time.Now(), 1) {
		l.dropped++
		return
	}
	attrs := []slog.Attr{slog.String("stream", l.stream), slog.String("line", text)}
	if cut {
		attrs = append(attrs, slog.Bool("cut", true))
	}
	if l.dropped > 0 {
		attrs = append(attrs, slog.Int("dropped", l.dropped))
		l.dropped = 0
	}
	l.log.LogAttrs(context.Background(), slog.LevelInfo, "a plugin wrote", attrs...)
}

// end logs a last line that has no end, and how many were dropped.
func (l *lines) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flush()
	if l.dropped > 0 {
		l.log.Warn("a plugin wrote more than is logged", "stream", l.stream, "dropped", l.dropped)
		l.dropped = 0
	}
}
