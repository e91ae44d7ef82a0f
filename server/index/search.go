package index

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/RoaringBitmap/roaring/v2"

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

// scores are what a search found, by entity, used again and again.
type scores struct {
	of  []tally
	ids []uint32 // of those that have the first word

	high []float32 // the highest sums, from the highest on
	near []scored  // who may be among the best

	lone lone
}

// tally is what a search found in one entity. It lies in one piece, because a
// word's entities are all over the memory.
type tally struct {
	sum    float32 // of all words so far
	word   float32 // of this word; the best of its expansions
	fields fields  // that have one of the words
	round  uint8   // how many words the entity has
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
	defer sc.release()
	s.score(sc, asked)
	s.boost(sc, strings.ToLower(strings.TrimSpace(q.Text)), uint8(len(asked)))
	if int(selected.GetCardinality()) == s.Len() {
		selected = nil
	}
	best, total := s.best(sc, uint8(len(asked)), selected, from, size+1)
	found := Found{Total: total}
	if len(best) > size {
		best = best[:size]
		last := best[size-1]
		found.Next = encodeToken(hash, ordered{values: []*value{{kind: kindNumber, num: -float64(last.score)}}, key: s.docs.get(last.id).key})
	}
	page := highlighter{asked: asked, list: make([]Highlight, 0, 4*len(best)), ranges: make([][2]int, 0, 8*len(best))}
	for _, w := range asked {
		if c := w[0]; c < utf8.RuneSelf {
			page.begins[c] = true
			if 'a' <= c && c <= 'z' {
				page.begins[c-'a'+'A'] = true
			}
		}
	}
	found.Hits = make([]Hit, len(best))
	for i, x := range best {
		r := s.docs.get(x.id)
		found.Hits[i] = Hit{Record: r, Score: float64(x.score), Highlights: page.of(r.Entity, sc.of[x.id].fields)}
	}
	return found, nil
}

// best are the first most entities behind from, which may be nil, that have all
// words and are selected, in order; total is how many have and are. The order
// is that of scores, and of refs only where those are equal: records lie all
// over the memory, so that they are looked at once it is known which score the
// last of the best has, and only for those that have no less.
func (s *Snapshot) best(sc *scores, rounds uint8, selected *roaring.Bitmap, from *ordered, most int) (best []scored, total int) {
	start := float32(math.Inf(1))
	if from != nil {
		start = float32(-from.values[0].num)
	}
	of, high, near, least := sc.of, sc.high[:0], sc.near[:0], float32(math.Inf(-1))
	for _, id := range sc.ids {
		t := &of[id]
		if t.round != rounds || selected != nil && !selected.Contains(id) {
			continue
		}
		total++
		if t.sum > start || t.sum < least {
			continue
		}
		if t.sum == start && from != nil && s.docs.get(id).key <= from.key {
			continue
		}
		near = append(near, scored{t.sum, id})
		if t.sum == least {
			continue
		}
		if len(high) == most {
			high = high[:most-1]
		}
		i := sort.Search(len(high), func(i int) bool { return high[i] < t.sum })
		high = slices.Insert(high, i, t.sum)
		if len(high) == most {
			least = high[most-1]
		}
	}
	sc.high, sc.near = high, near
	best = make([]scored, 0, most)
	for _, x := range near {
		full := len(best) == most
		if x.score < least || full && !s.before(x, best[most-1]) {
			continue
		}
		if full {
			best = best[:most-1]
		}
		i := sort.Search(len(best), func(i int) bool { return s.before(x, best[i]) })
		best = slices.Insert(best, i, x)
	}
	return best, total
}

// scored is an entity that was found. It holds no pointer, so that moving it
// is cheap.
type scored struct {
	score float32
	id    uint32
}

// before tells whether a comes before b: by score, and then by ref.
func (s *Snapshot) before(a, b scored) bool {
	if a.score != b.score {
		return a.score > b.score
	}
	return s.docs.get(a.id).key < s.docs.get(b.id).key
}

// release makes the scores empty and gives them back.
func (sc *scores) release() {
	for _, id := range sc.ids {
		sc.of[id] = tally{}
	}
	sc.ids = sc.ids[:0]
	scorePool.Put(sc)
}

// score sums up for each entity that has the first words what they weigh.
func (s *Snapshot) score(sc *scores, asked []string) {
	if n := int(s.size) - len(sc.of); n > 0 {
		sc.of = append(sc.of, make([]tally, n)...)
	}
	for n, w := range asked {
		done := uint8(n)
		add := func(h hits) {
			n := float64(h.len())
			idf := math.Log(1 + (float64(s.Len())-n+0.5)/(n+0.5))
			factor := float32(idf)
			for _, b := range h.blocks(&sc.lone) {
				for _, x := range b.list {
					t := &sc.of[x.id()]
					if t.round < done {
						continue
					}
					t.fields |= x.fields()
					f := float32(x.weight()) / 64
					v := factor * f / (f + bm25K)
					if t.round == done {
						if done == 0 {
							sc.ids = append(sc.ids, x.id())
						}
						t.round = done + 1
						t.sum += v
						t.word = v
					} else if v > t.word {
						t.sum += v - t.word
						t.word = v
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
		s.words.tree.Ascend(w, func(word string, h hits) bool {
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
	s.words.tree.Ascend(name, func(word string, h hits) bool {
		if !strings.HasPrefix(word, name) || left == 0 {
			return false
		}
		left--
		boost := float32(prefixBoost)
		if word == name {
			boost = exactBoost
		}
		for _, b := range h.blocks(&sc.lone) {
			for _, x := range b.list {
				if t := &sc.of[x.id()]; t.round == rounds {
					t.sum += boost
				}
			}
		}
		return true
	})
}

// highlighter finds the highlights of a page. Those of all its entities lie in
// one list, and their ranges in another, so that a page takes few allocations.
type highlighter struct {
	asked  []string
	begins [utf8.RuneSelf]bool // which letters of ASCII a word begins with
	list   []Highlight
	ranges [][2]int
	tokens [64]token
	room   [maxWord * 2]byte
}

// of are the texts of an entity that have some of the words. Only the given
// fields, in which the search has found some, are read.
func (p *highlighter) of(e *catalog.Entity, in fields) []Highlight {
	begin, tag := len(p.list), -1
	fieldsOf(e, in, func(field int, key, s string) {
		if field == fieldTags {
			tag++
		}
		from := len(p.ranges)
		for _, t := range tokenize(s, p.tokens[:0]) {
			if c := s[t.from]; c < utf8.RuneSelf && !p.begins[c] {
				continue // folding leaves such a letter as it is, but for its case
			}
			word := fold(p.room[:0], s[t.from:t.to])
			for i, a := range p.asked {
				if string(word) == a {
					p.ranges = append(p.ranges, [2]int{t.from, t.to})
					break
				}
				if i == len(p.asked)-1 && len(word) > len(a) && string(word[:len(a)]) == a {
					p.ranges = append(p.ranges, [2]int{t.from, foldedEnd(s, t, len(a))})
					break
				}
			}
		}
		if from == len(p.ranges) {
			return
		}
		path := searchedFields[field].name
		switch field {
		case fieldTags:
			path += "[" + strconv.Itoa(tag) + "]"
		case fieldLabels:
			path += "[" + strconv.Quote(key) + "]"
		}
		s, ranges := snippet(s, p.ranges[from:len(p.ranges):len(p.ranges)])
		p.list = append(p.list, Highlight{path, s, ranges})
	})
	return p.list[begin:len(p.list):len(p.list)]
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
