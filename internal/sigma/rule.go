package sigma

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// rule is one compiled rule.
type rule struct {
	info Info
	line int // of its first key
	when *expr
}

// document is one YAML document on its way to a rule.
type document struct {
	fields   *fields
	nodes    int // left of maxNodes
	patterns int // left of maxPatterns
	searches map[string]*expr
	order    []string // names of searches as they stand in the file
}

func (rs *Rules) compile(doc *yaml.Node) (*rule, error) {
	d := &document{fields: rs.fields, nodes: maxNodes, patterns: maxPatterns, searches: map[string]*expr{}}
	if doc.Kind == yaml.DocumentNode && len(doc.Content) == 1 {
		doc = doc.Content[0]
	}
	top, err := d.mapping(doc, "a rule")
	if err != nil {
		return nil, err
	}
	for _, key := range []string{"correlation", "filter", "action"} {
		if e, ok := top[key]; ok {
			return nil, at(e.key.Line, "%s documents are not supported: only rules with a detection", key)
		}
	}
	r := &rule{line: doc.Line}
	if err := d.source(top, r); err != nil {
		return nil, err
	}
	if err := d.metadata(top, r); err != nil {
		return nil, err
	}
	if r.when, err = d.detection(top, r.line); err != nil {
		return nil, err
	}
	return r, probe(r, rs.fields)
}

// entry is one key of a mapping with its value.
type entry struct{ key, value *yaml.Node }

// mapping reads a mapping, once each key.
func (d *document) mapping(n *yaml.Node, what string) (map[string]entry, error) {
	list, err := d.entries(n, what)
	if err != nil {
		return nil, err
	}
	out := make(map[string]entry, len(list))
	for _, e := range list {
		out[e.key.Value] = e
	}
	return out, nil
}

func (d *document) entries(n *yaml.Node, what string) ([]entry, error) {
	n, err := d.resolve(n)
	if err != nil {
		return nil, err
	}
	if n.Kind != yaml.MappingNode {
		return nil, at(n.Line, "%s is a mapping of keys to values", what)
	}
	var out []entry
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != yaml.ScalarNode {
			return nil, at(key.Line, "a key is a plain word")
		}
		if seen[key.Value] {
			return nil, at(key.Line, "the key %s stands there twice", key.Value)
		}
		seen[key.Value] = true
		value, err := d.resolve(n.Content[i+1])
		if err != nil {
			return nil, err
		}
		out = append(out, entry{key, value})
	}
	return out, nil
}

// resolve follows an alias, and counts every node that is looked at: aliases of
// aliases can make a short file endless.
func (d *document) resolve(n *yaml.Node) (*yaml.Node, error) {
	for range maxDepth {
		if d.nodes--; d.nodes < 0 {
			return nil, at(n.Line, "it has more than %d values", maxNodes)
		}
		if n.Kind != yaml.AliasNode || n.Alias == nil {
			return n, nil
		}
		n = n.Alias
	}
	return nil, at(n.Line, "an alias leads nowhere")
}

// systems are the products of Sigma with the names of ours.
var systems = map[string]string{"windows": "windows", "macos": "darwin", "linux": "linux"}

func (d *document) source(top map[string]entry, r *rule) error {
	e, ok := top["logsource"]
	if !ok {
		return at(r.line, "it has no logsource")
	}
	source, err := d.mapping(e.value, "logsource")
	if err != nil {
		return err
	}
	if c := text(source, "category"); c != "process_creation" {
		return elsewhere(e.key.Line, "its category is %q: only process_creation is judged here", c)
	}
	if s := text(source, "service"); s != "" {
		return elsewhere(e.key.Line, "it asks for the service %q: launches come from none", s)
	}
	product := text(source, "product")
	switch os := systems[strings.ToLower(product)]; {
	case product == "":
		r.info.Products = []string{"windows", "darwin", "linux"}
	case os == "":
		return elsewhere(source["product"].key.Line, "its product is %q: only windows, macos and linux are known", product)
	default:
		r.info.Products = []string{os}
	}
	return nil
}

func text(m map[string]entry, key string) string {
	e, ok := m[key]
	if !ok || e.value.Kind != yaml.ScalarNode || e.value.Tag == "!!null" {
		return ""
	}
	return strings.TrimSpace(e.value.Value)
}

// severities are the levels of Sigma in the words of YARA metadata.
var severities = map[string]string{"critical": "critical", "high": "high", "medium": "medium", "low": "low", "informational": "info", "": "medium"}

var techniqueTag = regexp.MustCompile(`(?i)^attack\.(t\d{4}(?:\.\d{3})?)$`)

// metadata fills what a match tells. The id of a finding is the name of a rule
// if it has one, because people read it.
func (d *document) metadata(top map[string]entry, r *rule) error {
	title := oneLine(text(top, "title"))
	if title == "" {
		return at(r.line, "it has no title")
	}
	level := strings.ToLower(text(top, "level"))
	severity, ok := severities[level]
	if !ok {
		return at(top["level"].key.Line, "its level is %q, want critical, high, medium, low or informational", level)
	}
	r.info.Meta = map[string]string{"engine": "sigma", "title": title, "severity": severity, "description": evidence(text(top, "description"), title)}
	for _, id := range []string{text(top, "name"), text(top, "id"), title} {
		if id != "" {
			r.info.ID, r.info.Meta["id"] = id, id
			break
		}
	}
	tags, err := d.list(top["tags"])
	if err != nil {
		return err
	}
	for _, tag := range tags {
		if m := techniqueTag.FindStringSubmatch(tag); m != nil && r.info.Meta["technique"] == "" {
			r.info.Meta["technique"] = strings.ToUpper(m[1])
		}
	}
	return d.custom(top, r)
}

// custom takes over what our own rules say beside the standard's keys.
func (d *document) custom(top map[string]entry, r *rule) error {
	if refs, err := d.list(top["references"]); err != nil {
		return err
	} else if len(refs) > 0 {
		r.info.Meta["reference"] = refs[0]
	}
	e, ok := top["custom"]
	if !ok {
		return nil
	}
	custom, err := d.mapping(e.value, "custom")
	if err != nil {
		return err
	}
	if family := text(custom, "family"); family != "" {
		r.info.Meta["family"] = family
	}
	return nil
}

// list reads a list of words, or one word.
func (d *document) list(e entry) ([]string, error) {
	if e.value == nil {
		return nil, nil
	}
	if e.value.Kind == yaml.ScalarNode {
		return []string{e.value.Value}, nil
	}
	var out []string
	for _, n := range e.value.Content {
		n, err := d.resolve(n)
		if err != nil {
			return nil, err
		}
		out = append(out, n.Value)
	}
	return out, nil
}

// maxEvidence bounds the sentence of a finding, in bytes.
const maxEvidence = 400

// evidence is the description as one line, or a sentence about the title.
func evidence(description, title string) string {
	if description = oneLine(description); description == "" {
		return fmt.Sprintf("It matches the Sigma rule “%s”", title)
	}
	if len(description) > maxEvidence {
		cut := strings.ToValidUTF8(description[:maxEvidence], "")
		return strings.TrimRight(cut, " ,.;") + "…"
	}
	return description
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// fields gives the ids of the fields that a rule asks for, each once.
func (r *rule) fields() []int {
	var out []int
	r.when.walk(func(t *test) {
		for _, id := range []int{t.field, t.other} {
			if id >= 0 && !slices.Contains(out, id) {
				out = append(out, id)
			}
		}
	})
	return out
}
