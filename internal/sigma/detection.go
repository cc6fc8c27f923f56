package sigma

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// detection compiles the searches and the condition over them. Several
// conditions are alternatives.
func (d *document) detection(top map[string]entry, line int) (*expr, error) {
	e, ok := top["detection"]
	if !ok {
		return nil, at(line, "it has no detection")
	}
	list, err := d.entries(e.value, "detection")
	if err != nil {
		return nil, err
	}
	var condition *yaml.Node
	for _, s := range list {
		switch s.key.Value {
		case "condition":
			condition = s.value
			continue
		case "timeframe":
			return nil, at(s.key.Line, "it has a timeframe: a launch is judged by itself")
		}
		search, err := d.search(s.key.Line, s.value)
		if err != nil {
			return nil, err
		}
		d.searches[s.key.Value] = search
		d.order = append(d.order, s.key.Value)
	}
	if condition == nil {
		return nil, at(e.key.Line, "its detection has no condition")
	}
	return d.conditions(condition)
}

func (d *document) conditions(n *yaml.Node) (*expr, error) {
	all := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		all = n.Content
	}
	var kids []*expr
	for _, c := range all {
		c, err := d.resolve(c)
		if err != nil {
			return nil, err
		}
		if c.Kind != yaml.ScalarNode {
			return nil, at(c.Line, "a condition is a line of text")
		}
		e, err := d.condition(c.Value, c.Line)
		if err != nil {
			return nil, err
		}
		kids = append(kids, e)
	}
	if len(kids) == 0 {
		return nil, at(n.Line, "its detection has no condition")
	}
	return join(opOr, kids), nil
}

// search compiles one search: a mapping, all of whose items must hold, or a list
// of alternatives, of which a plain value is a keyword.
func (d *document) search(line int, n *yaml.Node) (*expr, error) {
	switch n.Kind {
	case yaml.MappingNode:
		return d.items(n)
	case yaml.SequenceNode:
		var kids []*expr
		for _, c := range n.Content {
			c, err := d.resolve(c)
			if err != nil {
				return nil, err
			}
			e, err := d.alternative(c)
			if err != nil {
				return nil, err
			}
			kids = append(kids, e)
		}
		if len(kids) > 0 {
			return join(opOr, kids), nil
		}
	case yaml.ScalarNode:
		if n.Tag != "!!null" {
			return d.item("", n, n.Line)
		}
	}
	return nil, at(line, "it is empty")
}

func (d *document) alternative(n *yaml.Node) (*expr, error) {
	switch n.Kind {
	case yaml.MappingNode:
		return d.items(n)
	case yaml.ScalarNode:
		return d.item("", n, n.Line)
	}
	return nil, at(n.Line, "a search is made of fields and of keywords, not of lists in lists")
}

func (d *document) items(n *yaml.Node) (*expr, error) {
	list, err := d.entries(n, "a search")
	if err != nil {
		return nil, err
	}
	var kids []*expr
	for _, e := range list {
		item, err := d.item(e.key.Value, e.value, e.key.Line)
		if err != nil {
			return nil, err
		}
		kids = append(kids, item)
	}
	if len(kids) == 0 {
		return nil, at(n.Line, "it is empty")
	}
	return join(opAnd, kids), nil
}

// item compiles "Field|modifier|modifier: values". Without a field it is asked
// of every one.
func (d *document) item(key string, values *yaml.Node, line int) (*expr, error) {
	name, chain, _ := strings.Cut(key, "|")
	var words []string
	if chain != "" {
		words = strings.Split(chain, "|")
	}
	m, err := modifiersOf(words, line)
	if err != nil {
		return nil, err
	}
	field := anyField
	if name != "" {
		field = d.fields.id(name)
	} else if m.shape == equal {
		m.shape = contain
	}
	nodes := []*yaml.Node{values}
	if values.Kind == yaml.SequenceNode {
		nodes = values.Content
	}
	var tests []*expr
	for _, n := range nodes {
		n, err := d.resolve(n)
		if err != nil {
			return nil, err
		}
		t, err := d.value(field, m, n)
		if err != nil {
			return nil, err
		}
		tests = append(tests, &expr{test: t})
	}
	if len(tests) == 0 {
		return nil, at(line, "%s has no value", key)
	}
	if m.all {
		return join(opAnd, tests), nil
	}
	return join(opOr, merge(tests)), nil
}

// merge makes one test of alternatives that ask one field for text.
func merge(tests []*expr) []*expr {
	var out []*expr
	var first *test
	for _, e := range tests {
		if e.test.kind != kindText {
			out = append(out, e)
			continue
		}
		if first == nil {
			first = e.test
			out = append(out, e)
			continue
		}
		first.patterns = append(first.patterns, e.test.patterns...)
	}
	return out
}
