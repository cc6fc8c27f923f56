package collect

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"meetguard/internal/store"
)

// The rules of the collector: what it says about an agent that no agent says
// about itself. docs/collector.md explains each.
const (
	ruleSilent   = "MG-FLEET-SILENT"
	ruleGap      = "MG-FLEET-GAP"
	ruleChanged  = "MG-FLEET-CHANGED"
	ruleReset    = "MG-FLEET-RESET"
	ruleConflict = "MG-FLEET-CONFLICT"
	ruleClone    = "MG-FLEET-CLONE"
)

// alarmWords is what people read of an alarm.
type alarmWords struct {
	title    string // %s is the host
	advice   string
	severity int // OCSF severity_id
	tactic   ocsfName
	parent   ocsfName
	sub      ocsfName
}

var (
	defenseEvasion = ocsfName{"TA0005", "Defense Evasion"}
	impair         = ocsfName{"T1562", "Impair Defenses"}
	disableTools   = ocsfName{"T1562.001", "Disable or Modify Tools"}
	removal        = ocsfName{"T1070", "Indicator Removal"}
)

var alarmTexts = map[string]alarmWords{
	ruleSilent: {"The agent on %s has fallen silent",
		"See whether the machine is on and in the network. If it is, the agent was stopped or cut off: look at the machine before you trust it.",
		3, defenseEvasion, impair, disableTools},
	ruleGap: {"Alerts of %s are missing",
		"Compare the machine's alerts.jsonl with what arrived. Lines that were cut out point to somebody with the rights of an administrator.",
		4, defenseEvasion, removal, ocsfName{}},
	ruleChanged: {"The alert log of %s was changed",
		"Treat the machine as taken over by somebody with the rights of an administrator: isolate it and keep its state folder as evidence.",
		4, defenseEvasion, removal, ocsfName{}},
	ruleReset: {"The alert log of %s was cut back",
		"Ask whether the agent was installed anew or its state folder deleted on purpose. If nobody did, treat the machine as taken over.",
		4, defenseEvasion, removal, ocsfName{}},
	ruleConflict: {"The agent on %s sent an alert again with other contents",
		"Compare both versions (see the collector's conflicts). An honest agent never does this.",
		4, defenseEvasion, removal, ocsfName{}},
	ruleClone: {"The identity of the agent on %s is used on two machines",
		"The machine was copied with its agent, or its key was stolen. Enrol both machines anew, then revoke this identity.",
		4, defenseEvasion, impair, disableTools},
}

// The part of OCSF 1.8.0 Detection Finding that an alarm fills.
type (
	ocsfName struct {
		UID  string `json:"uid"`
		Name string `json:"name,omitempty"`
	}
	ocsfAttack struct {
		Tactic    ocsfName  `json:"tactic"`
		Technique ocsfName  `json:"technique"`
		Sub       *ocsfName `json:"sub_technique,omitempty"`
	}
	ocsfAnalytic struct {
		TypeID int    `json:"type_id"`
		Type   string `json:"type"`
		UID    string `json:"uid"`
	}
	ocsfProduct struct {
		Name       string `json:"name"`
		VendorName string `json:"vendor_name"`
		Version    string `json:"version,omitempty"`
	}
	ocsfMetadata struct {
		Version   string      `json:"version"`
		Profiles  []string    `json:"profiles"`
		UID       string      `json:"uid"`
		EventCode string      `json:"event_code"`
		LogName   string      `json:"log_name"`
		Product   ocsfProduct `json:"product"`
	}
	ocsfFinding struct {
		UID         string       `json:"uid"`
		Title       string       `json:"title"`
		Desc        string       `json:"desc"`
		CreatedTime int64        `json:"created_time"`
		Types       []string     `json:"types"`
		Analytic    ocsfAnalytic `json:"analytic"`
		Attacks     []ocsfAttack `json:"attacks"`
	}
	ocsfDevice struct {
		TypeID   int    `json:"type_id"`
		Hostname string `json:"hostname"`
		UID      string `json:"uid"`
	}
	ocsfEvidence struct {
		Name   string     `json:"name"`
		Device ocsfDevice `json:"device"`
	}
	ocsfAdvice struct {
		Desc string `json:"desc"`
	}
	flatFacts struct {
		Level   string   `json:"mg_level"`
		Brand   string   `json:"mg_brand"`
		Score   int      `json:"mg_score"`
		Rule    string   `json:"mg_rule"`
		Reasons []string `json:"mg_reasons"`
	}
	ocsfAlarm struct {
		ClassUID      int            `json:"class_uid"`
		ClassName     string         `json:"class_name"`
		CategoryUID   int            `json:"category_uid"`
		CategoryName  string         `json:"category_name"`
		ActivityID    int            `json:"activity_id"`
		ActivityName  string         `json:"activity_name"`
		TypeUID       int            `json:"type_uid"`
		Time          int64          `json:"time"`
		SeverityID    int            `json:"severity_id"`
		Severity      string         `json:"severity"`
		RiskScore     int            `json:"risk_score"`
		StatusID      int            `json:"status_id"`
		Status        string         `json:"status"`
		IsAlert       bool           `json:"is_alert"`
		ActionID      int            `json:"action_id"`
		DispositionID int            `json:"disposition_id"`
		Message       string         `json:"message"`
		Metadata      ocsfMetadata   `json:"metadata"`
		Finding       ocsfFinding    `json:"finding_info"`
		Device        ocsfDevice     `json:"device"`
		Evidences     []ocsfEvidence `json:"evidences"`
		Remediation   ocsfAdvice     `json:"remediation"`
		Unmapped      flatFacts      `json:"unmapped"`
	}
)

// newAlarm is an alarm of the collector about an agent as a record of the store.
// The same rule and key on the same agent are the same record.
func newAlarm(a store.Agent, b breach, version string, now time.Time) store.Record {
	words := alarmTexts[b.rule]
	host := firstOf(column(a.Hostname, maxLabel), a.UID)
	title := fmt.Sprintf(words.title, host)
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %s", b.rule, a.UID, b.key))
	uid := "collector-" + hex.EncodeToString(sum[:16])
	device := ocsfDevice{Hostname: host, UID: a.UID}
	attack := ocsfAttack{Tactic: words.tactic, Technique: words.parent}
	if words.sub.UID != "" {
		attack.Sub = &words.sub
	}
	severity := map[int]string{3: "Medium", 4: "High"}[words.severity]
	score := map[int]int{3: 50, 4: 75}[words.severity]
	raw := encodeAlarm(ocsfAlarm{
		ClassUID: 2004, ClassName: "Detection Finding", CategoryUID: 2, CategoryName: "Findings",
		ActivityID: 1, ActivityName: "Create", TypeUID: 200401, Time: now.UnixMilli(),
		SeverityID: words.severity, Severity: severity, RiskScore: score,
		StatusID: 1, Status: "New", IsAlert: true, ActionID: 3, DispositionID: 15, Message: title,
		Metadata: ocsfMetadata{Version: "1.8.0", Profiles: []string{"host", "security_control"}, UID: uid, EventCode: b.rule,
			LogName: "meetguard.collector", Product: ocsfProduct{"meetguard-collector", "meetguard", version}},
		Finding: ocsfFinding{UID: uid, Title: title, Desc: b.detail, CreatedTime: now.UnixMilli(), Types: []string{"agent-health"},
			Analytic: ocsfAnalytic{1, "Rule", b.rule}, Attacks: []ocsfAttack{attack}},
		Device:      device,
		Evidences:   []ocsfEvidence{{Name: "agent", Device: device}},
		Remediation: ocsfAdvice{words.advice},
		Unmapped:    flatFacts{Level: "suspicious", Score: score, Rule: b.rule, Reasons: []string{b.detail}},
	})
	return ParseRecord(raw)
}

func encodeAlarm(a ocsfAlarm) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(a) // plain values only: it cannot fail
	return escapeJSON(bytes.TrimSpace(buf.Bytes()))
}

// alarm stores what the collector has to say about an agent.
func (s *Server) alarm(ctx context.Context, a store.Agent, found ...breach) error {
	if len(found) == 0 {
		return nil
	}
	b := store.Batch{Agent: a, ReceivedAt: s.now(), Own: true}
	for _, f := range found {
		b.Records = append(b.Records, newAlarm(a, f, s.version, b.ReceivedAt))
		s.log.Warn("Alarm about an agent", "agent", a.UID, "rule", f.rule)
	}
	results, err := s.store.Save(ctx, b)
	if err != nil {
		return fmt.Errorf("store alarm about agent %s: %w", a.UID, err)
	}
	for _, r := range results {
		if r.Status == store.Rejected && r.Reason != store.ReasonConflict { // the same alarm at another time
			return fmt.Errorf("store alarm about agent %s: %s", a.UID, r.Reason)
		}
	}
	return nil
}
