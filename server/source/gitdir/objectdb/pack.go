package objectdb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
)

// Types in packs beside the four kinds.
const (
	offsetDelta Kind = 6
	refDelta    Kind = 7
)

const (
	maxChain  = 4096    // of deltas; git itself makes 50, and 4095 at most
	keepBases = 8 << 20 // bytes of delta bases kept for the next object
	keepBase  = 1 << 20 // of which each at most
)

// pack is one pack with its index, both opened when first needed.
type pack struct {
	stem string // path without .idx

	idxOnce sync.Once
	idx     *index
	idxErr  error

	once    sync.Once
	data    *contents
	dataErr error
}

func (p *pack) close() error {
	p.idxOnce.Do(func() {})
	p.once.Do(func() {})
	var err error
	if p.idx != nil {
		err = p.idx.close()
	}
	return errors.Join(err, p.data.close())
}

// find returns where in the pack an object starts.
func (p *pack) find(id ID) (int64, error) {
	p.idxOnce.Do(func() { p.idx, p.idxErr = openIndex(p.stem+".idx", len(id)) })
	if p.idxErr != nil {
		return 0, p.idxErr
	}
	return p.idx.find(id)
}

func (p *pack) open() error {
	p.once.Do(func() {
		p.data, p.dataErr = openContents(p.stem + ".pack")
		if p.dataErr == nil {
			var head [8]byte
			if _, err := p.data.ReadAt(head[:], 0); err != nil || string(head[:4]) != "PACK" {
				p.dataErr = fmt.Errorf("%w: %s.pack is no pack", ErrCorrupt, p.stem)
			} else if v := binary.BigEndian.Uint32(head[4:]); v != 2 && v != 3 {
				p.dataErr = fmt.Errorf("%w: %s.pack has version %d", ErrCorrupt, p.stem, v)
			}
		} else if errors.Is(p.dataErr, fs.ErrNotExist) {
			p.dataErr = fmt.Errorf("%w: its pack is gone", ErrMissing)
		}
	})
	return p.dataErr
}

// packed is the header of an object in a pack.
type packed struct {
	kind Kind
	size int64 // of the inflated object or delta
	data int64 // offset of the zlib stream
	base int64 // offset of the base, for offsetDelta
	ref  ID    // id of the base, for refDelta
}

func (p *pack) header(off int64, idSize int) (packed, error) {
	if err := p.open(); err != nil {
		return packed{}, err
	}
	var buf [64]byte
	n, err := p.data.ReadAt(buf[:], off)
	if err != nil && !errors.Is(err, io.EOF) {
		return packed{}, err
	}
	b := buf[:n]
	bad := fmt.Errorf("%w: header at %d of %s.pack", ErrCorrupt, off, p.stem)
	if len(b) == 0 {
		return packed{}, bad
	}
	h := packed{kind: Kind(b[0] >> 4 & 7), size: int64(b[0] & 15)}
	i := 1
	for shift := 4; b[i-1]&0x80 != 0; shift += 7 {
		if i == len(b) || shift > 50 {
			return packed{}, bad
		}
		h.size |= int64(b[i]&0x7f) << shift
		i++
	}
	switch h.kind {
	case Commit, Tree, Blob, Tag:
	case offsetDelta:
		if i == len(b) {
			return packed{}, bad
		}
		back := int64(b[i] & 0x7f)
		for i++; b[i-1]&0x80 != 0; i++ {
			if i == len(b) || back > 1<<50 {
				return packed{}, bad
			}
			back = (back+1)<<7 | int64(b[i]&0x7f)
		}
		h.base = off - back
		if back <= 0 || h.base < 12 {
			return packed{}, bad
		}
	case refDelta:
		if len(b) < i+idSize {
			return packed{}, bad
		}
		h.ref = ID(b[i : i+idSize])
		i += idSize
	default:
		return packed{}, bad
	}
	h.data = off + int64(i)
	return h, nil
}

func (p *pack) inflate(h packed) (*inflater, error) {
	return inflate(io.NewSectionReader(p.data, h.data, p.data.size-h.data))
}

// objectSize is the size of the object at off: a delta says it at its start.
func (p *pack) objectSize(off int64, idSize int) (int64, error) {
	h, err := p.header(off, idSize)
	if err != nil {
		return 0, err
	}
	if h.kind != offsetDelta && h.kind != refDelta {
		return h.size, nil
	}
	i, err := p.inflate(h)
	if err != nil {
		return 0, err
	}
	defer i.done()
	head := make([]byte, min(h.size, 20))
	if _, err := io.ReadFull(i.z, head); err != nil {
		return 0, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	_, head, ok := deltaSize(head)
	n, _, ok2 := deltaSize(head)
	if !ok || !ok2 {
		return 0, fmt.Errorf("%w: delta at %d of %s.pack", ErrCorrupt, off, p.stem)
	}
	return n, nil
}

// base identifies an object in one of the packs.
type base struct {
	pack *pack
	off  int64
}

// chain is what the deltas read so far on the way to a base hold in memory.
type chain struct {
	deltas int
	bytes  int64
}

func (db *DB) readPacked(p *pack, off, limit int64, c chain) (Kind, []byte, error) {
	h, err := p.header(off, db.idSize(p))
	if err != nil {
		return 0, nil, err
	}
	if h.size > limit {
		return 0, nil, fmt.Errorf("%w: %d bytes, more than %d", ErrTooLarge, h.size, limit)
	}
	if h.kind != offsetDelta && h.kind != refDelta {
		b, err := p.body(h)
		return h.kind, b, err
	}
	c.deltas++
	c.bytes += h.size
	if c.deltas > maxChain || c.bytes > maxObject {
		return 0, nil, fmt.Errorf("%w: too many deltas in a row", ErrCorrupt)
	}
	delta, err := p.body(h)
	if err != nil {
		return 0, nil, err
	}
	if _, rest, ok := deltaSize(delta); ok { // refuse before the base is read
		if n, _, ok := deltaSize(rest); ok && n > limit {
			return 0, nil, fmt.Errorf("%w: %d bytes, more than %d", ErrTooLarge, n, limit)
		}
	}
	var kind Kind
	var from []byte
	if h.kind == offsetDelta {
		kind, from, err = db.readBase(base{p, h.base}, c)
	} else if at, ferr := p.find(h.ref); ferr == nil {
		kind, from, err = db.readBase(base{p, at}, c)
	} else { // a thin pack: its base stands elsewhere
		kind, from, err = db.findAt(h.ref, c)
	}
	if err != nil {
		return 0, nil, err
	}
	b, err := patch(from, delta, limit)
	return kind, b, err
}

// findAt looks a base up by its id in whatever pack, or loose.
func (db *DB) findAt(id ID, c chain) (Kind, []byte, error) {
	for _, p := range db.packs {
		if off, err := p.find(id); err == nil {
			return db.readPacked(p, off, maxObject, c)
		}
	}
	return db.readLoose(id, maxObject)
}

// readBase reads a delta base, which neighbours are likely to need too. The
// kind is kept in the last byte.
func (db *DB) readBase(at base, c chain) (Kind, []byte, error) {
	db.mu.Lock()
	kept, ok := db.bases[at]
	db.mu.Unlock()
	if ok {
		n := len(kept) - 1
		return Kind(kept[n]), kept[:n], nil
	}
	kind, b, err := db.readPacked(at.pack, at.off, maxObject, c)
	if err != nil || len(b) > keepBase {
		return kind, b, err
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.bases == nil || db.size+len(b) > keepBases {
		db.bases, db.size = map[base][]byte{}, 0
	}
	db.bases[at] = append(b, byte(kind))
	db.size += len(b)
	return kind, b, nil
}

// idSize is the length of ids in the pack's index, which is open by now.
func (db *DB) idSize(p *pack) int {
	if p.idx == nil {
		return 20
	}
	return p.idx.idSize
}

func (p *pack) body(h packed) ([]byte, error) {
	i, err := p.inflate(h)
	if err != nil {
		return nil, err
	}
	defer i.done()
	return i.full(h.size)
}

func deltaSize(b []byte) (n int64, rest []byte, ok bool) {
	for i := range min(len(b), 8) {
		n |= int64(b[i]&0x7f) << (7 * i)
		if b[i]&0x80 == 0 {
			return n, b[i+1:], true
		}
	}
	return 0, nil, false
}

// patch applies a delta to its base.
func patch(from, delta []byte, limit int64) ([]byte, error) {
	bad := fmt.Errorf("%w: its delta does not fit", ErrCorrupt)
	fromSize, d, ok := deltaSize(delta)
	if !ok || fromSize != int64(len(from)) {
		return nil, bad
	}
	size, d, ok := deltaSize(d)
	if !ok {
		return nil, bad
	}
	if size > limit {
		return nil, fmt.Errorf("%w: %d bytes, more than %d", ErrTooLarge, size, limit)
	}
	out := make([]byte, 0, size+1) // one more for readBase
	for len(d) > 0 {
		op := d[0]
		d = d[1:]
		if op&0x80 == 0 { // insert
			n := int(op)
			if n == 0 || n > len(d) || len(out)+n > int(size) {
				return nil, bad
			}
			out = append(out, d[:n]...)
			d = d[n:]
			continue
		}
		var arg [7]byte // offset in four bytes, size in three
		for i := range arg {
			if op&(1<<i) != 0 {
				if len(d) == 0 {
					return nil, bad
				}
				arg[i], d = d[0], d[1:]
			}
		}
		at := int(binary.LittleEndian.Uint32(arg[:4]))
		n := int(arg[4]) | int(arg[5])<<8 | int(arg[6])<<16
		if n == 0 {
			n = 0x10000
		}
		if at > len(from) || n > len(from)-at || len(out)+n > int(size) {
			return nil, bad
		}
		out = append(out, from[at:at+n]...)
	}
	if int64(len(out)) != size {
		return nil, bad
	}
	return out, nil
}

// index is a pack index of version 2.
type index struct {
	*contents
	fan    [256]uint32
	idSize int
}

const (
	idxHead = 8
	idxIDs  = idxHead + 256*4
)

func openIndex(path string, idSize int) (*index, error) {
	c, err := openContents(path)
	if err != nil {
		return nil, fmt.Errorf("pack index: %w", err)
	}
	x := &index{contents: c, idSize: idSize}
	var head [idxIDs]byte
	if _, err := c.ReadAt(head[:], 0); err != nil || !bytes.Equal(head[:8], []byte("\377tOc\x00\x00\x00\x02")) {
		c.close()
		return nil, fmt.Errorf("%w: %s is no pack index of version 2", ErrCorrupt, path)
	}
	last := uint32(0)
	for i := range x.fan {
		x.fan[i] = binary.BigEndian.Uint32(head[idxHead+4*i:])
		if x.fan[i] < last {
			c.close()
			return nil, fmt.Errorf("%w: %s counts backwards", ErrCorrupt, path)
		}
		last = x.fan[i]
	}
	if need := idxIDs + int64(last)*int64(idSize+8) + 2*int64(idSize); c.size < need {
		c.close()
		return nil, fmt.Errorf("%w: %s is cut short", ErrCorrupt, path)
	}
	return x, nil
}

// find returns the offset of an object in the pack.
func (x *index) find(id ID) (int64, error) {
	if len(id) != x.idSize {
		return 0, ErrMissing
	}
	lo, hi := uint32(0), x.fan[id[0]]
	if id[0] > 0 {
		lo = x.fan[id[0]-1]
	}
	var buf [sha256Size]byte
	at := buf[:x.idSize]
	for lo < hi {
		mid := lo + (hi-lo)/2
		if _, err := x.ReadAt(at, idxIDs+int64(mid)*int64(x.idSize)); err != nil {
			return 0, err
		}
		switch c := bytes.Compare(at, []byte(id)); {
		case c == 0:
			return x.offset(mid)
		case c < 0:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return 0, ErrMissing
}

const sha256Size = 32

func (x *index) offset(n uint32) (int64, error) {
	count := int64(x.fan[255])
	table := idxIDs + count*int64(x.idSize+4)
	var b [8]byte
	if _, err := x.ReadAt(b[:4], table+4*int64(n)); err != nil {
		return 0, err
	}
	off := binary.BigEndian.Uint32(b[:4])
	if off&(1<<31) == 0 {
		return int64(off), nil
	}
	if _, err := x.ReadAt(b[:], table+4*count+8*int64(off&^(1<<31))); err != nil {
		return 0, fmt.Errorf("%w: index points outside itself", ErrCorrupt)
	}
	if big := binary.BigEndian.Uint64(b[:]); big < 1<<62 {
		return int64(big), nil
	}
	return 0, fmt.Errorf("%w: index points outside the pack", ErrCorrupt)
}
