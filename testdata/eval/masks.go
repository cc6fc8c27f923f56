package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
)

// whole is the mask that hides nothing.
const whole = -1

// defaultMasks is how many masks are taken. One says little: under another one
// some chains in a hundred are found or lost.
const defaultMasks = 8

// maskRow is the result under one mask.
type maskRow struct {
	Mask   int     `json:"mask"`
	Found  int     `json:"found"`
	Recall float64 `json:"recall"`
	Alerts int     `json:"false_alerts"`
}

// text is the file as the agent gets it. Under a mask a third of the launches,
// chosen by a hash, has no command line, and none has a signature.
func (f recorded) text(mask int) ([]byte, error) {
	var b bytes.Buffer
	for i, l := range f.launches {
		keys := map[string]json.RawMessage{}
		for k, v := range l.keys {
			keys[k] = v
		}
		delete(keys, "chain")
		delete(keys, "about")
		if mask != whole {
			delete(keys, "signature")
			if third(l.Chain, i, mask) {
				delete(keys, "args")
				delete(keys, "command_line")
			}
		}
		line, err := json.Marshal(keys)
		if err != nil {
			return nil, err
		}
		b.Write(append(line, '\n'))
	}
	return b.Bytes(), nil
}

// third chooses one launch of three, for each mask always the same.
func third(chain string, i, mask int) bool {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s\x00%d", chain, i)
	if mask > 0 {
		fmt.Fprintf(h, "\x00%d", mask)
	}
	x := h.Sum64()
	return (x^x>>29)*0x9e3779b97f4a7c15>>33%3 == 0
}

// worse orders two runs: a false alert weighs more than all misses.
func (c *conditions) worse(than *conditions) bool {
	if len(c.Alerts) != len(than.Alerts) {
		return len(c.Alerts) > len(than.Alerts)
	}
	return c.Found < than.Found
}

// poorRecall is the mean recall under the masks.
func (r *chainReport) poorRecall() float64 {
	sum := 0.0
	for _, m := range r.Masks {
		sum += m.Recall
	}
	if len(r.Masks) == 0 {
		return 0
	}
	return sum / float64(len(r.Masks))
}

// poorAlerts are the false alerts for each thousand honest launches, in the mean
// of the masks.
func (r *chainReport) poorAlerts() float64 {
	n := 0
	for _, m := range r.Masks {
		n += m.Alerts
	}
	return 1000 * ratio(n, r.Poor.Launches*len(r.Masks))
}

// passed holds the report against the bars.
func (r *chainReport) passed() bool {
	return r.Full.passed() && (len(r.Masks) == 0 || r.poorRecall() >= minPoorRecall && len(r.Poor.Alerts) <= maxChainFalseAlerts)
}
