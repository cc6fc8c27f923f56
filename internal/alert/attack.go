package alert

import (
	"regexp"

	"meetguard"
)

// Tactics of MITRE ATT&CK for Enterprise, https://attack.mitre.org/tactics/.
var (
	resourceDevelopment = Named{"TA0042", "Resource Development"}
	initialAccess       = Named{"TA0001", "Initial Access"}
	execution           = Named{"TA0002", "Execution"}
	persistence         = Named{"TA0003", "Persistence"}
	defenseEvasion      = Named{"TA0005", "Defense Evasion"}
	credentialAccess    = Named{"TA0006", "Credential Access"}
	collection          = Named{"TA0009", "Collection"}
	commandAndControl   = Named{"TA0011", "Command and Control"}
)

type technique struct {
	name   string
	tactic Named // the one that fits this product where there are several
}

// techniques names what the rules refer to, https://attack.mitre.org/techniques/.
// A parent stands here too if one of its sub-techniques does.
var techniques = map[string]technique{
	"T1005":     {"Data from Local System", collection},
	"T1027":     {"Obfuscated Files or Information", defenseEvasion},
	"T1027.010": {"Command Obfuscation", defenseEvasion},
	"T1036":     {"Masquerading", defenseEvasion},
	"T1036.001": {"Invalid Code Signature", defenseEvasion},
	"T1036.005": {"Match Legitimate Resource Name or Location", defenseEvasion},
	"T1036.007": {"Double File Extension", defenseEvasion},
	"T1056":     {"Input Capture", credentialAccess},
	"T1056.002": {"GUI Input Capture", credentialAccess},
	"T1059":     {"Command and Scripting Interpreter", execution},
	"T1059.001": {"PowerShell", execution},
	"T1059.002": {"AppleScript", execution},
	"T1059.003": {"Windows Command Shell", execution},
	"T1059.004": {"Unix Shell", execution},
	"T1059.005": {"Visual Basic", execution},
	"T1059.006": {"Python", execution},
	"T1059.007": {"JavaScript", execution},
	"T1105":     {"Ingress Tool Transfer", commandAndControl},
	"T1140":     {"Deobfuscate/Decode Files or Information", defenseEvasion},
	"T1204":     {"User Execution", execution},
	"T1204.002": {"Malicious File", execution},
	"T1204.004": {"Malicious Copy and Paste", execution},
	"T1218":     {"System Binary Proxy Execution", defenseEvasion},
	"T1218.005": {"Mshta", defenseEvasion},
	"T1218.007": {"Msiexec", defenseEvasion},
	"T1539":     {"Steal Web Session Cookie", credentialAccess},
	"T1543":     {"Create or Modify System Process", persistence},
	"T1547":     {"Boot or Logon Autostart Execution", persistence},
	"T1547.001": {"Registry Run Keys / Startup Folder", persistence},
	"T1553":     {"Subvert Trust Controls", defenseEvasion},
	"T1553.001": {"Gatekeeper Bypass", defenseEvasion},
	"T1553.002": {"Code Signing", defenseEvasion},
	"T1555":     {"Credentials from Password Stores", credentialAccess},
	"T1562":     {"Impair Defenses", defenseEvasion},
	"T1562.001": {"Disable or Modify Tools", defenseEvasion},
	"T1564":     {"Hide Artifacts", defenseEvasion},
	"T1564.001": {"Hidden Files and Directories", defenseEvasion},
	"T1566":     {"Phishing", initialAccess},
	"T1566.002": {"Spearphishing Link", initialAccess},
	"T1583":     {"Acquire Infrastructure", resourceDevelopment},
	"T1583.001": {"Domains", resourceDevelopment},
}

var reTechnique = regexp.MustCompile(`^(T[0-9]{4})(\.[0-9]{3})?$`)

// attacksOf returns the techniques of the findings, each once, in their order.
// An id that the table does not know keeps its place without a name.
func attacksOf(findings []meetguard.Finding) []Attack {
	var out []Attack
	seen := map[string]bool{}
	for _, f := range findings {
		parts := reTechnique.FindStringSubmatch(f.Technique)
		if parts == nil || seen[f.Technique] {
			continue
		}
		seen[f.Technique] = true
		out = append(out, attackOf(parts[0], parts[1]))
	}
	return out
}

func attackOf(id, parent string) Attack {
	a := Attack{Technique: &Named{parent, techniques[parent].name}}
	if id != parent {
		a.SubTechnique = &Named{id, techniques[id].name}
	}
	if t, known := techniques[id]; known {
		a.Tactic = &t.tactic
	}
	return a
}
