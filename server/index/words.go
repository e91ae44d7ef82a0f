package index

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/tidwall/btree"
	"github.com/tidwall/gjson"

	"github.com/waypost-dev/waypost/server/catalog"
)

// searched is a kind of field that is searched, and what a word in it weighs.
type searched struct {
	name   string
	weight float64
	usual  float64 // how many words it usually has
}

// The fields that are searched. All labels count as one field; annotations
// are for machines, and are not searched.
var searchedFields = [...]searched{
	{"metadata.name", 8, 3},
	{"metadata.title", 6, 3},
	{"metadata.tags", 4, 3},
	{"kind", 2, 1},
	{"spec.type", 2, 1},
	{"spec.owner", 2, 4},
	{"metadata.description", 1.5, 12},
	{"metadata.labels", 0.5, 6},
	{"spec.profile.displayName", 6, 3},
}

const (
	fieldName = iota
	fieldTitle
	fieldTags
	fieldKind
	fieldType
	fieldOwner
	fieldDescription
	fieldLabels
	fieldProfile
)

// fields are some of the fields that are searched, as bits.
type fields uint16

const (
	allFields      fields = 1<<len(searchedFields) - 1
	metadataFields        = 1<<fieldName | 1<<fieldTitle | 1<<fieldTags | 1<<fieldDescription | 1<<fieldLabels
	specFields            = 1<<fieldType | 1<<fieldOwner | 1<<fieldProfile
)

func (f fields) has(field int) bool { return f&(1<<field) != 0 }

// Parameters of BM25: k1 for how soon more of the same word counts less, b for
// how much long fields count less.
const (
	bm25K = 1.2
	bm25B = 0.4
)

// hit is that a word is in an entity: its number, the fields as bits, and the
// weighted frequency of BM25F (Robertson, Zaragoza, Taylor 2004: Simple BM25
// extension to multiple weighted fields) times 64. The usual length of a field
// stands in for its average, so that one entity's change leaves the others'
// weights alone.
type hit uint64

func makeHit(id uint32, field int, weight uint16) hit {
	return hit(id)<<32 | hit(1)<<(16+field) | hit(weight)
}
func (h hit) id() uint32     { return uint32(h >> 32) }
func (h hit) weight() uint16 { return uint16(h) }
func (h hit) fields() fields { return fields(h >> 16) }

func (h hit) plus(field int, weight uint16) hit {
	sum := min(uint32(h.weight())+uint32(weight), 0xffff)
	return h&^0xffff | hit(1)<<(16+field) | hit(sum)
}

// hits are who has a word. Most words, names above all, are in one entity only,
// and need no list. The zero value is nobody.
type hits struct {
	one  hit // or 0
	list *hitList
}

// hitList are several who have a word, ascending, in blocks that snapshots share.
// What has the owner of a transaction was made by it, and may be changed in place.
type hitList struct {
	owner  txid
	blocks []block
	n      int
}

type block struct {
	owner txid
	list  []hit
}

const blockSize = 256

// len is how many there are.
func (h hits) len() int {
	switch {
	case h.list != nil:
		return h.list.n
	case h.one != 0:
		return 1
	}
	return 0
}

// lone is where a block of one is made.
type lone struct {
	block [1]block
	hit   [1]hit
}

// blocks are valid until room is used again.
func (h hits) blocks(room *lone) []block {
	switch {
	case h.list != nil:
		return h.list.blocks
	case h.one != 0:
		room.hit[0] = h.one
		room.block[0].list = room.hit[:]
		return room.block[:]
	}
	return nil
}

// with returns hits in which an entity's is x, or is not there if x is 0.
func (h hits) with(tx txid, id uint32, x hit) hits {
	switch {
	case h.list != nil:
		list := h.list.with(tx, id, x)
		if list.n == 1 {
			return hits{one: list.blocks[0].list[0]}
		}
		return hits{list: list}
	case h.one == 0 || h.one.id() == id:
		return hits{one: x}
	case x == 0:
		return h
	}
	both := []hit{min(h.one, x), max(h.one, x)} // the id comes first
	return hits{list: &hitList{tx, []block{{tx, both}}, 2}}
}

func (h *hitList) find(id uint32) (int, int, bool) {
	b, _ := slices.BinarySearchFunc(h.blocks, id, func(x block, id uint32) int {
		if x.list[len(x.list)-1].id() < id {
			return -1
		}
		return 1
	})
	if b == len(h.blocks) {
		return b, 0, false
	}
	i, ok := slices.BinarySearchFunc(h.blocks[b].list, id, func(x hit, id uint32) int { return cmp.Compare(x.id(), id) })
	return b, i, ok
}

// with is that of hits. There are two at least before.
func (h *hitList) with(tx txid, id uint32, x hit) *hitList {
	if h.owner != tx {
		h = &hitList{tx, slices.Clone(h.blocks), h.n}
	}
	b, i, ok := h.find(id)
	switch {
	case ok && x != 0:
		h.own(tx, b).list[i] = x
	case ok:
		h.n--
		if len(h.blocks[b].list) == 1 {
			h.blocks = slices.Delete(h.blocks, b, b+1)
			break
		}
		own := h.own(tx, b)
		own.list = slices.Delete(own.list, i, i+1)
	case x != 0:
		h.n++
		if b == len(h.blocks) {
			b--
			i = len(h.blocks[b].list)
		}
		own := h.own(tx, b)
		own.list = slices.Insert(own.list, i, x)
		if len(own.list) > blockSize {
			half := len(own.list) / 2
			rest := block{tx, slices.Clone(own.list[half:])}
			own.list = slices.Clone(own.list[:half])
			h.blocks = slices.Insert(h.blocks, b+1, rest)
		}
	}
	return h
}

// own makes a block the transaction's own.
func (h *hitList) own(tx txid, b int) *block {
	x := &h.blocks[b]
	if x.owner != tx {
		*x = block{tx, slices.Clone(x.list)}
	}
	return x
}

// words is the dictionary. A whole name is in it too, folded and behind a NUL.
type words struct{ tree *btree.Map[string, hits] }

func newWords() words           { return words{new(btree.Map[string, hits])} }
func (w words) fork() words     { return words{w.tree.Copy()} }
func wholeName(s string) string { return "\x00" + s }

// replace brings in what an entity says now, and takes out what it said.
func (w words) replace(tx txid, id uint32, old, now *Record) {
	before, after := map[string]hit{}, map[string]hit{}
	if old != nil {
		gather(before, id, old.Entity)
	}
	if now != nil {
		gather(after, id, now.Entity)
	}
	for word := range before {
		if _, ok := after[word]; !ok {
			after[word] = 0
		}
	}
	for word, x := range after {
		if before[word] == x {
			continue
		}
		h, _ := w.tree.Get(word)
		if h = h.with(tx, id, x); h == (hits{}) {
			w.tree.Delete(word)
		} else {
			w.tree.Set(word, h)
		}
	}
}

func gather(into map[string]hit, id uint32, e *catalog.Entity) {
	wordsOf(e, func(word []byte, field int, weight uint16) {
		if x, ok := into[string(word)]; ok {
			into[string(word)] = x.plus(field, weight)
		} else {
			into[string(word)] = makeHit(id, field, weight)
		}
	})
}

// loadWords makes the dictionary of records in the order of their ids.
func loadWords(_ txid, records []*Record, cores int) words {
	parts := make([]map[string][]hit, cores)
	var busy sync.WaitGroup
	for n := range cores {
		busy.Go(func() {
			part := map[string]*[]hit{}
			for i := n * len(records) / cores; i < (n+1)*len(records)/cores; i++ {
				id := uint32(i)
				wordsOf(records[i].Entity, func(word []byte, field int, weight uint16) {
					list, ok := part[string(word)]
					if !ok {
						list = new([]hit)
						part[string(word)] = list
					}
					if last := len(*list) - 1; last >= 0 && (*list)[last].id() == id {
						(*list)[last] = (*list)[last].plus(field, weight)
					} else {
						*list = append(*list, makeHit(id, field, weight))
					}
				})
			}
			parts[n] = make(map[string][]hit, len(part))
			for word, list := range part {
				parts[n][word] = *list
			}
		})
	}
	busy.Wait()
	all := parts[0]
	for _, p := range parts[1:] {
		for word, list := range p {
			all[word] = append(all[word], list...)
		}
	}
	w := newWords()
	for _, word := range slices.Sorted(maps.Keys(all)) {
		list := all[word]
		if len(list) == 1 {
			w.tree.Load(word, hits{one: list[0]})
			continue
		}
		h := &hitList{n: len(list)}
		for chunk := range slices.Chunk(list, blockSize*3/4) {
			h.blocks = append(h.blocks, block{list: slices.Clone(chunk)})
		}
		w.tree.Load(word, hits{list: h})
	}
	return w
}

// fieldsOf calls yield for each text of an entity in the wanted fields; for a
// label with its key. Keys of documents are sorted, so that what stands behind
// the last wanted field is not read.
func fieldsOf(e *catalog.Entity, wanted fields, yield func(field int, key, text string)) {
	openMembers(text(e.Document), func(k, v string) bool {
		switch k {
		case "kind":
			if wanted.has(fieldKind) {
				yield(fieldKind, "", str(v[:valueEnd(v, 0)]))
			}
			return wanted&(metadataFields|specFields) != 0
		case "metadata":
			if wanted&metadataFields != 0 {
				metadataOf(v, wanted, yield)
			}
			return wanted&specFields != 0
		case "spec":
			specOf(v, wanted, yield)
			return false
		}
		return true
	})
}

func metadataOf(metadata string, wanted fields, yield func(field int, key, text string)) {
	members(metadata, func(k, v string) bool {
		switch k {
		case "name":
			if wanted.has(fieldName) {
				yield(fieldName, "", str(v))
			}
			return wanted.has(fieldTags) || wanted.has(fieldTitle)
		case "title":
			if wanted.has(fieldTitle) {
				yield(fieldTitle, "", str(v))
			}
			return false
		case "description":
			if wanted.has(fieldDescription) {
				yield(fieldDescription, "", str(v))
			}
			return wanted&^(1<<fieldDescription)&metadataFields != 0
		case "tags":
			if wanted.has(fieldTags) && v[0] == '[' {
				gjson.Parse(v).ForEach(func(_, t gjson.Result) bool { yield(fieldTags, "", t.Str); return true })
			}
			return wanted.has(fieldTitle)
		case "labels":
			if wanted.has(fieldLabels) {
				members(v, func(k, v string) bool { yield(fieldLabels, k, str(v)); return true })
			}
		}
		return true
	})
}

func specOf(spec string, wanted fields, yield func(field int, key, text string)) {
	members(spec, func(k, v string) bool {
		switch k {
		case "type":
			if wanted.has(fieldType) {
				yield(fieldType, "", str(v))
			}
		case "owner":
			if wanted.has(fieldOwner) {
				yield(fieldOwner, "", str(v))
			}
		case "profile":
			if wanted.has(fieldProfile) {
				members(v, func(k, v string) bool {
					if k == "displayName" {
						yield(fieldProfile, "", str(v))
					}
					return true
				})
			}
		}
		return k < "type"
	})
}

// str is what a value says if it is a string, and empty otherwise.
func str(value string) string {
	if len(value) < 2 || value[0] != '"' {
		return ""
	}
	if strings.IndexByte(value, '\\') < 0 {
		return value[1 : len(value)-1]
	}
	return gjson.Parse(value).Str
}

// wordsOf calls yield for each word of an entity with what it weighs there. The
// word is only good during the call.
func wordsOf(e *catalog.Entity, yield func(word []byte, field int, weight uint16)) {
	var tokens [64]token
	var room [maxWord * 2]byte
	fieldsOf(e, allFields, func(field int, _, s string) {
		if s == "" {
			return
		}
		f := searchedFields[field]
		found := tokenize(s, tokens[:0])
		long := 1 - bm25B + bm25B*float64(len(found))/f.usual
		weight := uint16(max(1, f.weight/long*64))
		for _, t := range found {
			yield(fold(room[:0], s[t.from:t.to]), field, weight)
		}
		if field == fieldName {
			yield([]byte(wholeName(strings.ToLower(s))), field, 1)
		}
	})
}
