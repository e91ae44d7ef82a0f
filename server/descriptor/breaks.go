package descriptor

import (
	"bytes"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The parser is one of YAML 1.1, to which a carriage return by itself, U+0085,
// U+2028 and U+2029 end a line. To YAML 1.2, and so to Backstage, they are
// characters like others. They are therefore kept from the parser: characters
// for private use stand in for them, which the text does not hold otherwise.

// breaks are the line ends of YAML 1.1 that are none in 1.2.
var breaks = [...]string{"\r", "\u0085", "\u2028", "\u2029"}

// standIns replaces breaks in text, and tells how to put them back; nil if
// there is nothing to put back.
func standIns(text []byte) ([]byte, *strings.Replacer) {
	if !hasBreaks(text) {
		return text, nil
	}
	there := []string{"\r\n", "\r\n"} // stays as it is
	var back []string
	next := '\ue000'
	for _, b := range breaks {
		for bytes.ContainsRune(text, next) {
			if next++; next > '\uf8ff' {
				return text, nil // every one of them is in use, which no text of people does
			}
		}
		there = append(there, b, string(next))
		back = append(back, string(next), b)
		next++
	}
	return []byte(strings.NewReplacer(there...).Replace(string(text))), strings.NewReplacer(back...)
}

func hasBreaks(text []byte) bool {
	if bytes.Count(text, []byte("\r")) != bytes.Count(text, []byte("\r\n")) {
		return true
	}
	for _, b := range breaks[1:] {
		if bytes.Contains(text, []byte(b)) {
			return true
		}
	}
	return false
}

// putBack undoes standIns in what was parsed of the text.
func putBack(n *yaml.Node, back *strings.Replacer) {
	n.Value = back.Replace(n.Value)
	for _, c := range n.Content {
		putBack(c, back)
	}
}
