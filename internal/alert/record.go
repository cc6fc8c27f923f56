package alert

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"meetguard"
)

// Limits that keep every record below MaxRecord, in bytes of text after
// escaping, and in elements.
const (
	maxPath    = 1024
	maxExact   = 8192 // of a path kept byte by byte; a longer one is hostile, and told by its digest
	maxText    = 320
	maxName    = 256
	maxCommand = 1536
	maxList    = 16
)

// Product says which agent and which rules made a record.
type Product struct {
	Version      string
	RulesVersion string
}

// NewRecord renders an alert as an OCSF record without its place in the log.
// Every text in it has passed SafeText, no list and no text is unbounded, and
// nothing private is in it: of URLs only hosts, of command lines what Redact
// leaves.
func NewRecord(host meetguard.Host, product Product, a meetguard.Alert) Record {
	top := strongest(a.Verdict.Findings)
	title := safe(titleOf(a), maxText)
	severity, confidence := gradeOf(a.Verdict.Level)
	r := Record{
		ClassUID: 2004, ClassName: "Detection Finding",
		CategoryUID: 2, CategoryName: "Findings",
		ActivityID: 1, ActivityName: "Create",
		TypeUID:    200401,
		Time:       millis(a.Time),
		SeverityID: severity.id, Severity: severity.name,
		ConfidenceID: confidence.id, Confidence: confidence.name,
		RiskScore: min(max(a.Verdict.Score, 0), 100),
		StatusID:  1, Status: "New",
		IsAlert:  true,
		ActionID: 3, Action: "Observed",
		DispositionID: 15, Disposition: "Detected",
		Message:     title,
		Metadata:    metadataOf(host, product, a, top),
		Device:      deviceOf(host),
		Evidences:   evidencesOf(a),
		Remediation: Remediation{remedy(a)},
		Unmapped:    unmappedOf(a, top),
		FindingInfo: FindingInfo{
			UID:              findingUID(host, a),
			Title:            title,
			Desc:             descOf(a),
			CreatedTime:      millis(a.Time),
			FirstSeenTime:    millis(landedAt(a)),
			Types:            []string{"fake-meeting-software"},
			Analytic:         analyticOf(top.Rule),
			RelatedAnalytics: relatedAnalytics(a, top),
			Attacks:          first(attacksOf(a.Verdict.Findings)),
			DataSources:      dataSources(a),
		},
	}
	if a.Update {
		r.ActivityID, r.ActivityName, r.TypeUID = 2, "Update", 200402
	}
	r.Observables = observablesOf(r.Evidences)
	return r
}

type grade struct {
	id   int
	name string
}

// gradeOf maps a level to severity_id and confidence_id of the schema.
func gradeOf(level meetguard.Level) (severity, confidence grade) {
	switch level {
	case meetguard.Malicious:
		return grade{4, "High"}, grade{3, "High"}
	case meetguard.Suspicious:
		return grade{3, "Medium"}, grade{2, "Medium"}
	case meetguard.Incomplete:
		return grade{2, "Low"}, grade{1, "Low"}
	}
	return grade{1, "Informational"}, grade{1, "Low"}
}

func metadataOf(host meetguard.Host, product Product, a meetguard.Alert, top meetguard.Finding) Metadata {
	m := Metadata{
		Version:   "1.8.0",
		Profiles:  []string{"host", "security_control"},
		UID:       recordUID(host, a),
		EventCode: safe(top.Rule, maxName),
		LogName:   "meetguard.alerts",
		Product:   ProductInfo{Name: "meetguard", VendorName: "meetguard", Version: safe(product.Version, maxName)},
	}
	if product.RulesVersion != "" {
		m.Product.Feature = &Feature{"rules", safe(product.RulesVersion, maxName)}
	}
	return m
}

// deviceOf names the machine. Its type is 0, Unknown: the agent does not ask
// whether it runs on a laptop or a server. The schema wants one name at least.
func deviceOf(host meetguard.Host) Device {
	name := safe(host.Name, maxName)
	if name == "" {
		name = "unknown"
	}
	return Device{Hostname: name, UID: safe(host.UID, maxName), OS: osOf(host.OS)}
}

func osOf(name string) *OS {
	switch name {
	case "windows":
		return &OS{"Windows", 100}
	case "linux":
		return &OS{"Linux", 200}
	case "darwin":
		return &OS{"macOS", 300}
	case "":
		return nil
	}
	return &OS{safe(name, maxName), 99}
}

func descOf(a meetguard.Alert) string {
	var b strings.Builder
	for _, f := range first(a.Verdict.Findings) {
		if f.Evidence == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(strings.TrimRight(safe(f.Evidence, maxText), ". ") + ".")
	}
	if b.Len() == 0 {
		return headline(a) + "."
	}
	return b.String()
}

func analyticOf(rule string) *Analytic {
	if rule == "" {
		return nil
	}
	return &Analytic{TypeID: 1, Type: "Rule", UID: safe(rule, maxName), Name: safe(rule, maxName)}
}

// relatedAnalytics lists the other rules, then the YARA rules that matched.
func relatedAnalytics(a meetguard.Alert, top meetguard.Finding) []Analytic {
	var out []Analytic
	for _, id := range ruleIDs(a.Verdict.Findings) {
		if id != top.Rule && id != "" {
			out = append(out, *analyticOf(id))
		}
	}
	for _, m := range a.Facts.Matches {
		out = append(out, Analytic{TypeID: 1, Type: "Rule", UID: "yara:" + safe(m.Rule, maxName)})
	}
	return first(out)
}

func dataSources(a meetguard.Alert) []string {
	if a.Event.Source == "" {
		return nil
	}
	return []string{safe(a.Event.Source, maxName)}
}

func unmappedOf(a meetguard.Alert, top meetguard.Finding) Unmapped {
	exact := pathOf(a)
	u := Unmapped{
		Level:      string(a.Verdict.Level),
		Brand:      safe(a.Verdict.Brand, maxName),
		Score:      a.Verdict.Score,
		Rule:       safe(top.Rule, maxName),
		Path:       safe(exact, maxPath),
		PathB64:    exactPath(exact),
		Inner:      safe(a.Verdict.Inner, maxPath),
		SHA256:     safe(a.Facts.SHA256, maxName),
		Format:     safe(string(a.Facts.Format), maxName),
		Signature:  string(signatureStatus(a.Facts.Signature)),
		Signer:     safe(a.Facts.Signature.Subject, maxName),
		TeamID:     safe(a.Facts.Signature.TeamID, maxName),
		SourceHost: safe(a.Facts.Origin.Host, maxName),
		Reasons:    []string{},
		Note:       safe(a.Verdict.Note, maxText),
	}
	for _, o := range first(a.Facts.OS) {
		u.OSVerdicts = append(u.OSVerdicts, safe(osVerdict(o), maxText))
	}
	if p := a.Facts.Package; p != nil {
		u.Package = safe(p.Manager+" "+p.Name, maxName)
	}
	for _, f := range first(a.Verdict.Findings) {
		u.Reasons = append(u.Reasons, safe(f.Evidence, maxText))
		u.Rules = append(u.Rules, safe(f.Rule, maxName))
		u.Weights = append(u.Weights, f.Weight)
	}
	for _, g := range first(a.Facts.Gaps) {
		u.Gaps = append(u.Gaps, safe(gapText(g), maxText))
	}
	u.Story, u.Landed = storyOf(a.Facts.Story), landedText(a.Facts.Landed)
	if p := processOf(a); p != nil {
		u.User, u.PID = safe(p.User, maxName), p.PID
		u.CommandLine = safeCommand(p)
	}
	return u
}

// osVerdict is what the operating system says, in words.
func osVerdict(o meetguard.OSVerdict) string {
	text := o.Source + ": rejected"
	if o.Trusted {
		text = o.Source + ": accepted"
	}
	for _, more := range []string{o.Code, o.Catalog, o.Detail} {
		if more != "" {
			text += ", " + more
		}
	}
	return text
}

// exactPath keeps the bytes of a path that cannot be shown as it is, or that is
// longer than what is shown.
func exactPath(path string) string {
	_, escaped := SafeText(path)
	if !escaped && len(path) <= maxPath || len(path) > maxExact {
		return ""
	}
	return base64.StdEncoding.EncodeToString([]byte(path))
}

// safeCommand redacts before it cuts, so that a secret cut in two cannot pass
// for an ordinary word. The full line is bounded first, because a command line
// may hold megabytes.
func safeCommand(p *meetguard.Process) string {
	return safe(Redact(clip(commandLine(p), 4*maxCommand)), maxCommand)
}

func signatureStatus(s meetguard.Signature) meetguard.SignatureStatus {
	if s.Status == "" {
		return meetguard.SignatureUnknown
	}
	return s.Status
}

// millis is the OCSF form of a time. A zero time stays zero.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// first cuts a list to maxList elements.
func first[T any](list []T) []T {
	return list[:min(len(list), maxList)]
}

// encode writes the record as one line of JSON, without the newline. The standard
// encoder escapes every control character, so a record never spans two lines.
func encode(r Record) ([]byte, error) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(r); err != nil {
		return nil, err
	}
	return []byte(strings.TrimSuffix(b.String(), "\n")), nil
}

func index(list string, i int, rest string) string {
	return list + "[" + strconv.Itoa(i) + "]." + rest
}
