package collect

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"meetguard/internal/store"
)

// Bounds of what is listed of one record.
const (
	maxReasons = 50
	maxSteps   = 50
)

// alertView is an alert in words. Every text is visible (see visible), so that
// no name can reorder or hide what stands around it.
type alertView struct {
	store.Alert
	Title      string
	File       string // name of the file without its folder
	Why        []ground
	Rules      []string // the other rules that matched
	Facts      []fact
	Signature  signatureView
	Origin     []fact
	Process    *processNode // the launch and what led to it, from the top
	Command    string       // of the launch, redacted by the agent
	Story      []storyStep
	Techniques []technique
	Gaps       []string
	Agent      string // what the agent itself advises
	Kind       alertKind
	Raw        string // the record, indented
}

// ground is one reason of the agent; the strongest stands first.
type ground struct {
	Text   string
	Rule   string // "" if the record does not tell it for each
	Weight string // as above
}

type fact struct{ Name, Value, Link string }

// signatureView is what is known of a code signature.
type signatureView struct {
	Status  string   // unsigned, adhoc, valid, invalid, untrusted, unknown
	Meaning string   // in words
	Chain   []string // from the issuer down to the signer
	Facts   []fact
	System  []string // what the operating system says
}

// processNode is a process of the tree, with those that it started.
type processNode struct {
	Name, Path, PID string
	Here            bool // the launch that the alert is about
	Child           *processNode
}

// storyStep is one line of the process story.
type storyStep struct {
	Text string
	Deed bool // it tells of an act and not only of a program
}

type technique struct{ ID, Name, Tactic string }

func newAlertView(a store.Alert) alertView {
	doc, _ := decodeObject(a.Record)
	v := alertView{
		Alert:      a,
		File:       fileName(doc),
		Why:        reasons(doc),
		Rules:      otherRules(doc),
		Facts:      fileFacts(a, doc),
		Signature:  signatureOf(doc),
		Origin:     originFacts(a, doc),
		Process:    processTree(doc),
		Command:    column(doc.text("unmapped", "mg_command_line"), maxText),
		Story:      story(doc),
		Techniques: techniques(doc),
		Gaps:       texts(doc, maxReasons, "unmapped", "mg_gaps"),
		Agent:      column(doc.text("remediation", "desc"), maxText),
		Raw:        indented(a.Record),
	}
	v.Kind = kindOf(a, doc, v.Story)
	v.Title = firstOf(headline(doc), a.Rule, "Alert")
	if v.File == "" {
		v.File = column(baseName(a.Path), maxLabel)
	}
	return v
}

// headline is the title without the reason that agents put behind it: the reason
// stands below it anyway.
func headline(doc document) string {
	title := column(firstOf(doc.text("finding_info", "title"), doc.text("message")), maxLabel)
	if short, _, found := strings.Cut(title, ": "); found && short != "" && len(reasons(doc)) > 0 {
		return short
	}
	return title
}

// First is the strongest reason, for a list.
func (v alertView) First() string {
	if len(v.Why) == 0 {
		return "The record gives no reason."
	}
	return v.Why[0].Text
}

// BrandName is the brand that the file claims to be of.
func (v alertView) BrandName() string { return brandName(v.Brand) }

// IsOpen tells whether somebody has to look at it.
func (v alertView) IsOpen() bool {
	return v.Status == store.StatusNew || v.Status == store.StatusInProgress
}

// texts returns the texts of a list of a record.
func texts(doc document, most int, path ...string) []string {
	var all []string
	for _, v := range doc.list(path...) {
		if text, ok := v.(string); ok && text != "" && len(all) < most {
			all = append(all, column(text, maxText))
		}
	}
	return all
}

// reasons returns why the agent raised the alert, in its order. Weights and rules
// are told only if the record names one for each reason.
func reasons(doc document) []ground {
	found := texts(doc, maxReasons, "unmapped", "mg_reasons")
	if len(found) == 0 {
		if text := firstOf(doc.text("finding_info", "desc"), doc.text("message")); text != "" {
			found = []string{column(text, maxText)}
		}
	}
	rules, weights := texts(doc, maxReasons, "unmapped", "mg_rules"), numbers(doc, "unmapped", "mg_weights")
	all := make([]ground, len(found))
	for i, text := range found {
		all[i] = ground{Text: text}
		if len(rules) == len(found) {
			all[i].Rule = rules[i]
		} else if i == 0 {
			all[i].Rule = column(doc.text("unmapped", "mg_rule"), maxLabel)
		}
		if len(weights) == len(found) {
			all[i].Weight = weights[i]
		}
	}
	return all
}

func numbers(doc document, path ...string) []string {
	var all []string
	for _, v := range doc.list(path...) {
		if n, ok := v.(interface{ String() string }); ok && len(all) < maxReasons {
			all = append(all, column(n.String(), 16))
		}
	}
	return all
}

// otherRules names the rules that matched besides the strongest.
func otherRules(doc document) []string {
	var all []string
	for _, v := range doc.list("finding_info", "related_analytics") {
		one, _ := v.(map[string]any)
		if uid := column(document(one).text("uid"), maxLabel); uid != "" && len(all) < maxReasons {
			all = append(all, uid)
		}
	}
	return all
}

// evidence returns the members of evidences.
func evidence(doc document) []document {
	var all []document
	for _, v := range doc.list("evidences") {
		if one, ok := v.(map[string]any); ok && len(all) < maxReasons {
			all = append(all, document(one))
		}
	}
	return all
}

// fileName returns the name of the file without its folder: as the record says
// it, or else from the path.
func fileName(doc document) string {
	for _, e := range evidence(doc) {
		if name := e.text("file", "name"); name != "" {
			return column(name, maxLabel)
		}
	}
	return column(baseName(doc.text("unmapped", "mg_path")), maxLabel)
}

// fileFacts lists what is known of the file, in the order in which a person asks.
func fileFacts(a store.Alert, doc document) []fact {
	flat := func(key string) string { return column(doc.text("unmapped", key), maxText) }
	size := ""
	for _, e := range evidence(doc) {
		if size == "" {
			size = spokenSize(e.number("file", "size"))
		}
	}
	return known([]fact{
		{"Path", a.Path, ""},
		{"Within it", flat("mg_inner"), ""},
		{"SHA-256", a.SHA256, link("sha256", a.SHA256)},
		{"Size", size, ""},
		{"Format", flat("mg_format"), ""},
		{"Belongs to", flat("mg_package"), ""},
		{"Note", flat("mg_note"), ""},
	})
}

// originFacts tells where the file came from, and who met it.
func originFacts(a store.Alert, doc document) []fact {
	return known([]fact{
		{"Downloaded from", a.Host, link("source_host", a.Host)},
		{"Machine", a.Hostname, link("host", a.Hostname)},
		{"User", a.User, link("user", a.User)},
		{"Seen by", strings.Join(texts(doc, 5, "finding_info", "data_sources"), ", "), ""},
		{"Landed", stamp(doc.millis("finding_info", "first_seen_time")), ""},
		{"Came to be there", column(doc.text("unmapped", "mg_landed"), maxText), ""},
		{"Found", stamp(a.Time), ""},
		{"Received", stamp(a.ReceivedAt), ""},
		{"Delay", delayText(doc.millis("finding_info", "first_seen_time"), a.ReceivedAt), ""},
	})
}

func delayText(landed, received time.Time) string {
	if landed.IsZero() || received.Before(landed) {
		return ""
	}
	return spokenSeconds(received.Sub(landed).Seconds()) + " from landing to alert"
}

// link is the list of alerts with the same value.
func link(key, value string) string {
	if value == "" || !isPlain(value, maxQuery) {
		return ""
	}
	return key
}

func known(all []fact) []fact {
	return slices.DeleteFunc(all, func(f fact) bool { return f.Value == "" })
}

// spokenSize is a number of bytes for a person.
func spokenSize(digits string) string {
	n, err := strconv.ParseInt(digits, 10, 64)
	switch {
	case err != nil || n <= 0:
		return ""
	case n < 1<<10:
		return strconv.FormatInt(n, 10) + " bytes"
	case n < 1<<20:
		return strconv.FormatFloat(float64(n)/(1<<10), 'f', 1, 64) + " KiB"
	}
	return strconv.FormatFloat(float64(n)/(1<<20), 'f', 1, 64) + " MiB"
}

// signatureMeanings say what a status means for the reader.
var signatureMeanings = map[string]string{
	"unsigned":  "Nobody signed it. Meeting software of the big makers always is.",
	"adhoc":     "It is sealed against damage but names nobody.",
	"valid":     "The signature holds. It tells who signed, not that they mean well.",
	"invalid":   "The signature does not fit the file: it was changed after signing, or the signature was copied here.",
	"untrusted": "It is signed, but by somebody whom no system trusts.",
	"unknown":   "The agent could not read whether it is signed.",
}

func signatureOf(doc document) signatureView {
	flat := func(key string) string { return column(doc.text("unmapped", key), maxLabel) }
	v := signatureView{Status: flat("mg_signature"), System: texts(doc, 5, "unmapped", "mg_os_verdicts")}
	v.Meaning = signatureMeanings[v.Status]
	subject, issuer := flat("mg_signer"), ""
	var more []fact
	for _, e := range evidence(doc) {
		part := func(path ...string) string {
			return column(e.text(append([]string{"file", "signature"}, path...)...), maxLabel)
		}
		if issuer == "" {
			issuer, subject = part("certificate", "issuer"), cmp.Or(subject, part("certificate", "subject"))
			more = []fact{{"Serial number", part("certificate", "serial_number"), ""}, {"Chain", part("state"), ""},
				{"Countersigned", stamp(e.millis("file", "signature", "created_time")), ""}}
		}
	}
	for _, name := range []string{issuer, subject} {
		if name != "" {
			v.Chain = append(v.Chain, name)
		}
	}
	v.Facts = known(append([]fact{{"Apple team", flat("mg_team_id"), ""}}, more...))
	return v
}

// processTree builds the line of processes that led to the launch, top first.
func processTree(doc document) *processNode {
	for _, e := range evidence(doc) {
		if _, ok := e.at("process").(map[string]any); !ok {
			continue
		}
		name := column(firstOf(e.text("process", "name"), baseName(e.text("process", "file", "path"))), maxLabel)
		node := &processNode{Name: cmp.Or(name, "program"), Path: column(e.text("process", "file", "path"), maxText),
			PID: column(e.number("process", "pid"), 16), Here: true}
		for i, v := range e.list("process", "ancestry") {
			up, ok := v.(map[string]any)
			if !ok || i >= maxSteps {
				break
			}
			d := document(up)
			node = &processNode{Name: cmp.Or(column(d.text("name"), maxLabel), "a program that has ended"), Path: column(d.text("path"), maxText),
				PID: column(d.number("pid"), 16), Child: node}
		}
		return node
	}
	return nil
}

func story(doc document) []storyStep {
	var all []storyStep
	for _, text := range texts(doc, maxSteps, "unmapped", "mg_story") {
		all = append(all, storyStep{text, strings.Contains(text, "): ")})
	}
	return all
}

func techniques(doc document) []technique {
	var all []technique
	for _, v := range doc.list("finding_info", "attacks") {
		one, ok := v.(map[string]any)
		if !ok || len(all) >= maxReasons {
			continue
		}
		d := document(one)
		t := technique{column(d.text("technique", "uid"), 16), column(d.text("technique", "name"), maxLabel), column(d.text("tactic", "name"), maxLabel)}
		if sub := d.text("sub_technique", "uid"); sub != "" {
			t.ID, t.Name = column(sub, 16), t.Name+": "+column(d.text("sub_technique", "name"), maxLabel)
		}
		if t.ID != "" {
			all = append(all, t)
		}
	}
	return all
}
