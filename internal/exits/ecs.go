package exits

import (
	"path"
	"strings"
	"time"
)

// ecsVersion is the version of the Elastic Common Schema whose names are used.
const ecsVersion = "8.17.0"

// mapped is one row: an ECS field and how its value is found. A value that is
// nil, "" or an empty list leaves the field out.
type mapped struct {
	field string
	value func(view) any
}

// ecsTable is the whole rendering: ECS fields with values of the type that the
// schema gives them, then the product's own below meetguard.
var ecsTable = []mapped{
	{"@timestamp", func(v view) any { return stamp(v.time()) }},
	{"ecs.version", always(ecsVersion)},
	{"message", from("message")},
	{"tags", always([]string{"meetguard"})},

	{"event.kind", always("alert")},
	{"event.category", func(v view) any { return eventCategory(v) }},
	{"event.type", always([]string{"info"})},
	{"event.action", func(v view) any { return eventAction(v) }},
	{"event.module", always("meetguard")},
	{"event.dataset", always("meetguard.alerts")},
	{"event.provider", always("meetguard")},
	{"event.id", from("metadata.uid")},
	{"event.code", from("metadata.event_code")},
	{"event.sequence", number("metadata.sequence")},
	{"event.severity", number("severity_id")},
	{"event.risk_score", number("risk_score")},
	{"event.reason", from("finding_info.desc")},
	{"event.created", dated("finding_info.created_time")},

	{"host.name", func(v view) any { return v.host }},
	{"host.hostname", func(v view) any { return line(v.item.Hostname, maxHostname) }},
	{"host.id", func(v view) any { return line(v.item.AgentUID, maxField) }},
	{"host.os.name", from("device.os.name")},
	{"host.os.type", func(v view) any { return osTypes[v.text("device.os.name")] }},
	{"agent.id", func(v view) any { return line(v.item.AgentUID, maxField) }},
	{"agent.type", always("meetguard")},
	{"agent.version", from("metadata.product.version")},

	{"rule.id", from("finding_info.analytic.uid")},
	{"rule.name", from("finding_info.title")},
	{"rule.category", from("finding_info.types.0")},
	{"rule.version", from("metadata.product.feature.version")},
	{"threat.framework", always("MITRE ATT&CK")},
	{"threat.tactic.id", attacks("tactic", "uid")},
	{"threat.tactic.name", attacks("tactic", "name")},
	{"threat.technique.id", attacks("technique", "uid")},
	{"threat.technique.name", attacks("technique", "name")},
	{"threat.technique.subtechnique.id", attacks("sub_technique", "uid")},
	{"threat.technique.subtechnique.name", attacks("sub_technique", "name")},

	{"file.path", from("unmapped.mg_path")},
	{"file.name", from("evidences.0.file.name")},
	{"file.extension", func(v view) any { return extension(v.text("evidences.0.file.name")) }},
	{"file.size", number("evidences.0.file.size")},
	{"file.hash.sha256", from("unmapped.mg_sha256")},
	{"file.code_signature.exists", func(v view) any { return signed(v) }},
	{"file.code_signature.valid", func(v view) any { return signatureValid(v) }},
	{"file.code_signature.status", from("unmapped.mg_signature")},
	{"file.code_signature.subject_name", from("unmapped.mg_signer")},
	{"file.code_signature.team_id", from("unmapped.mg_team_id")},
	{"url.domain", from("unmapped.mg_source_host")},

	{"process.pid", number("evidences.0.process.pid")},
	{"process.name", from("evidences.0.process.name")},
	{"process.executable", from("evidences.0.process.file.path")},
	{"process.command_line", from("evidences.0.process.cmd_line")},
	{"process.working_directory", from("evidences.0.process.working_directory")},
	{"process.start", dated("evidences.0.process.created_time")},
	{"process.parent.pid", number("evidences.0.process.ancestry.0.pid")},
	{"process.parent.name", from("evidences.0.process.ancestry.0.name")},
	{"process.parent.executable", from("evidences.0.process.ancestry.0.path")},
	{"user.name", from("unmapped.mg_user")},

	{"related.hash", list("unmapped.mg_sha256")},
	{"related.user", list("unmapped.mg_user")},
	{"related.hosts", func(v view) any { return relatedHosts(v) }},

	{"meetguard.alert_id", func(v view) any { return line(v.item.ID, maxField) }},
	{"meetguard.finding_id", from("finding_info.uid")},
	{"meetguard.activity", from("activity_name")}, // Create, or Update of a chain that was told before
	{"meetguard.group", func(v view) any { return line(v.item.Group, maxField) }},
	{"meetguard.level", func(v view) any { return line(v.item.Level, maxField) }},
	{"meetguard.status", func(v view) any { return line(v.item.Status, maxField) }},
	{"meetguard.disposition", from("disposition")},
	{"meetguard.brand", from("unmapped.mg_brand")},
	{"meetguard.format", from("unmapped.mg_format")},
	{"meetguard.inner", from("unmapped.mg_inner")},
	{"meetguard.reasons", texts("unmapped.mg_reasons")},
	{"meetguard.story", texts("unmapped.mg_story")},
	{"meetguard.gaps", texts("unmapped.mg_gaps")},
	{"meetguard.remediation", from("remediation.desc")},
}

// ecs renders an alert as one ECS document on one line.
func (v view) ecs() []byte {
	doc := map[string]any{}
	for _, m := range ecsTable {
		if x := m.value(v); !empty(x) {
			put(doc, m.field, x)
		}
	}
	return encode(doc)
}

func empty(x any) bool {
	switch x := x.(type) {
	case nil:
		return true
	case string:
		return x == ""
	case []string:
		return len(x) == 0
	}
	return false
}

// put sets a field of a nested document by its dotted name.
func put(doc map[string]any, field string, x any) {
	for {
		key, rest, nested := strings.Cut(field, ".")
		if !nested {
			doc[key] = x
			return
		}
		next, ok := doc[key].(map[string]any)
		if !ok {
			next = map[string]any{}
			doc[key] = next
		}
		doc, field = next, rest
	}
}

func always(x any) func(view) any { return func(view) any { return x } }

func from(at string) func(view) any { return func(v view) any { return v.text(at) } }

func texts(at string) func(view) any { return func(v view) any { return v.lines(at) } }

func number(at string) func(view) any {
	return func(v view) any {
		if n, ok := v.whole(at); ok {
			return n
		}
		return nil
	}
}

func dated(at string) func(view) any {
	return func(v view) any {
		if t, ok := v.date(at); ok {
			return stamp(t)
		}
		return nil
	}
}

// list is a field that ECS has as a list, with the values that are there.
func list(at ...string) func(view) any {
	return func(v view) any {
		var out []string
		for _, p := range at {
			if s := v.text(p); s != "" {
				out = append(out, s)
			}
		}
		return out
	}
}

// attacks gathers one attribute of every technique, without repetitions.
func attacks(what, attribute string) func(view) any {
	return func(v view) any {
		var out []string
		seen := map[string]bool{"": true}
		all, _ := v.at("finding_info.attacks").([]any)
		for _, a := range all[:min(len(all), maxList)] {
			s := view{root: map[string]any{"a": a}}.text("a." + what + "." + attribute)
			if !seen[s] {
				seen[s] = true
				out = append(out, s)
			}
		}
		return out
	}
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z07:00") }

// osTypes are the values that ECS allows for host.os.type.
var osTypes = map[string]string{"Windows": "windows", "Linux": "linux", "macOS": "macos"}

func eventCategory(v view) []string {
	if v.at("evidences.0.process") != nil {
		return []string{"malware", "process"}
	}
	return []string{"malware", "file"}
}

func eventAction(v view) string {
	if v.at("evidences.0.process") != nil {
		return "launch-detected"
	}
	return "file-detected"
}

// signed tells whether there is a signature; nothing if that is not known.
func signed(v view) any {
	switch v.text("unmapped.mg_signature") {
	case "", "unknown":
		return nil
	case "unsigned":
		return false
	}
	return true
}

func signatureValid(v view) any {
	if signed(v) != true {
		return nil
	}
	return v.text("unmapped.mg_signature") == "valid"
}

func extension(name string) string {
	return strings.TrimPrefix(path.Ext(name), ".")
}

func relatedHosts(v view) []string {
	var out []string
	for _, s := range []string{v.host, v.text("unmapped.mg_source_host")} {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}
