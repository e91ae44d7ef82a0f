package index

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/waypost-dev/waypost/server/catalog"
)

// Bounds of a search.
const (
	maxQuery      = 1024 // bytes
	maxWords      = 16
	maxExpansions = 2000 // words that begin with the last one
)

// What an entity gains if its name is what was searched for, or begins so.
const (
	exactBoost  = 100
	prefixBoost = 10
)

// scores are the sums of a search, by entity, used again and again.
type scores struct {
	sum   []float32 // of all words so far
	word  []float32 // of this word; the best of its expansions
	round []uint8   // how many words the entity has
	ids   []uint32
}

var scorePool = sync.Pool{New: func() any { return new(scores) }}

// Search finds entities that have all words of a text, the last one as the
// beginning of a word, in name, title, description, tags, kind, type, owner or
// labels, without regard to case and accents.
//
// The score of a word is that of BM25F: idf · f / (f + k1), where f is the sum
// over the fields of weight · frequency / (1 - b + b · length / usual length)
// and idf is ln(1 + (N - n + 0.5) / (n + 0.5)); for the beginning of a word, the
// best of all words that begin so. An entity whose name is the text, or begins
// with it, gains a boost. Equal scores are ordered by ref. Changes of other
// entities move scores a little, so pages are exact only within one snapshot.
func (s *Snapshot) Search(q Search) (Found, error) {
	if len(q.Text) > maxQuery {
		return Found{}, &QueryError{Field: "query", Offset: maxQuery, Reason: fmt.Sprintf("the text has %d bytes; at most %d are searched for", len(q.Text), maxQuery), Hint: "search for fewer words"}
	}
	hash := hashOf("search", q.Text, q.Filter)
	from, err := decodeToken(q.Token, hash, 1)
	if err != nil {
		return Found{}, err
	}
	selected, err := s.selected(q.Filter)
	if err != nil {
		return Found{}, err
	}
	var asked []string
	for _, t := range tokenize(q.Text, nil) {
		if w := string(fold(nil, q.Text[t.from:t.to])); w != "" && len(asked) < maxWords {
			asked = append(asked, w)
		}
	}
	if len(asked) == 0 {
		return Found{}, nil
	}
	size := min(max(q.Size, 1), MaxPage)
	sc := scorePool.Get().(*scores)
	defer scorePool.Put(sc)
	s.score(sc, asked)
	s.boost(sc, strings.ToLower(strings.TrimSpace(q.Text)), uint8(len(asked)))
	all := int(selected.GetCardinality()) == s.Len()
	var best []scored
	var found Found
	more := false
	for _, id := range sc.ids {
		if sc.round[id] != uint8(len(asked)) || !all && !selected.Contains(id) {
			continue
		}
		found.Total++
		x := scored{sc.sum[id], s.docs.get(id)}
		if from != nil && compareScored(x, scored{float32(-from.values[0].num), &Record{key: from.key}}) <= 0 {
			continue
		}
		if len(best) == size {
			more = true
			if compareScored(x, best[size-1]) > 0 {
				continue
			}
			best = best[:size-1]
		}
		i, _ := slices.BinarySearchFunc(best, x, compareScored)
		best = slices.Insert(best, i, x)
	}
	sc.reset()
	for _, x := range best {
		found.Hits = append(found.Hits, Hit{Record: x.record, Score: float64(x.score), Highlights: highlights(x.record.Entity, asked)})
	}
	if more {
		last := best[len(best)-1]
		found.Next = encodeToken(hash, ordered{values: []*value{{kind: kindNumber, num: -float64(last.score)}}, key: last.record.key})
	}
	return found, nil
}

type scored struct {
	score  float32
	record *Record
}

func compareScored(a, b scored) int {
	if c := cmp.Compare(b.score, a.score); c != 0 {
		return c
	}
	return strings.Compare(a.record.key, b.record.key)
}

func (sc *scores) reset() {
	for _, id := range sc.ids {
		sc.sum[id], sc.word[id], sc.round[id] = 0, 0, 0
	}
	sc.ids = sc.ids[:0]
}

// score sums up for each entity that has the first words what they weigh.
func (s *Snapshot) score(sc *scores, asked []string) {
	if n := int(s.size) - len(sc.sum); n > 0 {
		sc.sum = append(sc.sum, make([]float32, n)...)
		sc.word = append(sc.word, make([]float32, n)...)
		sc.round = append(sc.round, make([]uint8, n)...)
	}
	for n, w := range asked {
		done := uint8(n)
		add := func(h *hits) {
			idf := math.Log(1 + (float64(s.Len())-float64(h.n)+0.5)/(float64(h.n)+0.5))
			factor := float32(idf)
			for _, b := range h.blocks {
				for _, x := range b.list {
					id := x.id()
					if sc.round[id] < done {
						continue
					}
					f := float32(x.weight()) / 64
					v := factor * f / (f + bm25K)
					if sc.round[id] == done {
						if done == 0 {
							sc.ids = append(sc.ids, id)
						}
						sc.round[id] = done + 1
						sc.sum[id] += v
						sc.word[id] = v
					} else if v > sc.word[id] {
						sc.sum[id] += v - sc.word[id]
						sc.word[id] = v
					}
				}
			}
		}
		if n < len(asked)-1 {
			if h, ok := s.words.tree.Get(w); ok {
				add(h)
			}
			continue
		}
		left := maxExpansions
		s.words.tree.Ascend(w, func(word string, h *hits) bool {
			if !strings.HasPrefix(word, w) || left == 0 {
				return false
			}
			left--
			add(h)
			return true
		})
	}
}

// boost raises those whose name is the text or begins with it.
func (s *Snapshot) boost(sc *scores, text string, rounds uint8) {
	name := wholeName(text)
	left := maxExpansions
	s.words.tree.Ascend(name, func(word string, h *hits) bool {
		if !strings.HasPrefix(word, name) || left == 0 {
			return false
		}
		left--
		boost := float32(prefixBoost)
		if word == name {
			boost = exactBoost
		}
		for _, b := range h.blocks {
			for _, x := range b.list {
				if sc.round[x.id()] == rounds {
					sc.sum[x.id()] += boost
				}
			}
		}
		return true
	})
}

// highlights are the texts of an entity that have some of the words.
func highlights(e *catalog.Entity, asked []string) []Highlight {
	var out []Highlight
	tag := -1
	var tokens [64]token
	var room [maxWord * 2]byte
	fieldsOf(e, func(field int, key, s string) {
		if field == fieldTags {
			tag++
		}
		var ranges [][2]int
		for _, t := range tokenize(s, tokens[:0]) {
			word := fold(room[:0], s[t.from:t.to])
			for i, a := range asked {
				if string(word) == a {
					ranges = append(ranges, [2]int{t.from, t.to})
					break
				}
				if i == len(asked)-1 && len(word) > len(a) && string(word[:len(a)]) == a {
					ranges = append(ranges, [2]int{t.from, foldedEnd(s, t, len(a))})
					break
				}
			}
		}
		if ranges == nil {
			return
		}
		path := searchedFields[field].name
		switch {
		case field == fieldTags:
			path += "[" + strconv.Itoa(tag) + "]"
		case field == fieldLabels:
			path += "[" + strconv.Quote(key) + "]"
		case key == "profile":
			path = "spec.profile.displayName"
		}
		s, ranges = snippet(s, ranges)
		out = append(out, Highlight{path, strings.Clone(s), ranges})
	})
	return out
}

// Bounds of a highlight's text, in bytes: how much at most, and of that before
// the first match.
const (
	maxSnippet    = 320
	beforeSnippet = 80
)

// snippet cuts a long text to what is around its first match.
func snippet(s string, ranges [][2]int) (string, [][2]int) {
	if len(s) <= maxSnippet {
		return s, ranges
	}
	from := max(0, ranges[0][0]-beforeSnippet)
	for from > 0 && !utf8.RuneStart(s[from]) {
		from--
	}
	to := min(len(s), from+maxSnippet)
	for to < len(s) && !utf8.RuneStart(s[to]) {
		to--
	}
	var kept [][2]int
	for _, r := range ranges {
		if r[1] > to {
			break
		}
		kept = append(kept, [2]int{r[0] - from, r[1] - from})
	}
	return s[from:to], kept
}

// foldedEnd is where the part of a word ends that makes up its first n folded
// bytes, with the marks that follow it.
func foldedEnd(s string, t token, n int) int {
	var room [maxWord * 2]byte
	end := t.to
	for i := range s[t.from:t.to] {
		if i > 0 && len(fold(room[:0], s[t.from:t.from+i])) >= n {
			end = t.from + i
			break
		}
	}
	return end
}
