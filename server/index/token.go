package index

import (
	"encoding/base64"
	"encoding/binary"
	"hash/fnv"
	"math"
)

// A page token is, in base64url without padding: a version (1 byte), a hash of
// what was asked (8), for each field of the order a kind (1) and what it holds,
// and the key of the ref. Numbers take 8 bytes, strings a uvarint of their
// length before them.
const tokenVersion = 1

// maxToken bounds a token, in characters.
const maxToken = 4096

func hashOf(parts ...string) uint64 {
	h := fnv.New64a()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return h.Sum64()
}

func encodeToken(hash uint64, last ordered) string {
	b := binary.BigEndian.AppendUint64([]byte{tokenVersion}, hash)
	str := func(s string) {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	for _, v := range last.values {
		switch v.rank() {
		case missing:
			b = append(b, byte(kindAbsent))
		default:
			b = append(b, byte(v.kind))
		}
		switch v.kind {
		case kindNumber:
			b = binary.BigEndian.AppendUint64(b, math.Float64bits(v.num))
		case kindString:
			str(clip(v.str))
		}
	}
	str(last.key)
	return base64.RawURLEncoding.EncodeToString(b)
}

// decodeToken returns nil for an empty token.
func decodeToken(token string, hash uint64, fields int) (*ordered, error) {
	if token == "" {
		return nil, nil
	}
	bad := &QueryError{Field: "page_token", Reason: "this is not a page token", Hint: "pass on next_page_token as it was, or leave it out to start anew"}
	if len(token) > maxToken {
		return nil, bad
	}
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) < 9 || b[0] != tokenVersion {
		return nil, bad
	}
	if binary.BigEndian.Uint64(b[1:]) != hash {
		return nil, &QueryError{Field: "page_token", Reason: "this page token belongs to another query", Hint: "keep filter and order the same from page to page"}
	}
	b = b[9:]
	str := func() (string, bool) {
		n, w := binary.Uvarint(b)
		if w <= 0 || n > uint64(len(b)-w) {
			return "", false
		}
		s := string(b[w : w+int(n)])
		b = b[w+int(n):]
		return s, true
	}
	out := &ordered{}
	for range fields {
		if len(b) == 0 {
			return nil, bad
		}
		v := value{kind: kind(b[0])}
		b = b[1:]
		switch v.kind {
		case kindAbsent, kindFalse, kindTrue:
		case kindNumber:
			if len(b) < 8 {
				return nil, bad
			}
			v.num = math.Float64frombits(binary.BigEndian.Uint64(b))
			b = b[8:]
			if math.IsNaN(v.num) {
				return nil, bad
			}
		case kindString:
			s, ok := str()
			if !ok {
				return nil, bad
			}
			v.str, v.fold = s, foldOrder(s)
		default:
			return nil, bad
		}
		out.values = append(out.values, &v)
	}
	key, ok := str()
	if !ok || len(b) > 0 {
		return nil, bad
	}
	out.key = key
	return out, nil
}
