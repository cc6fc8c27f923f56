package collect

import (
	"strings"

	"meetguard/internal/store"
)

// alertKind is what an alert means for the people concerned.
type alertKind string

// The kinds, by what has to be done.
const (
	kindLanded     alertKind = "landed"     // a lure lies there and has not run as far as is known
	kindRan        alertKind = "ran"        // it has run
	kindTakeover   alertKind = "takeover"   // it has run, and reached for accounts or secrets
	kindIncomplete alertKind = "incomplete" // it could not be judged
	kindFleet      alertKind = "fleet"      // it is about an agent
)

// takeoverDeeds are acts of a process story that reach for secrets, and
// takeoverTechniques the ATT&CK techniques that mean the same.
var (
	takeoverDeeds      = []string{"take secret", "ask password", "check password", "upload"}
	takeoverTechniques = []string{"T1555", "T1539", "T1056", "T1552", "T1005"}
)

// kindOf tells what has to be done from what the record says.
func kindOf(a store.Alert, doc document, steps []storyStep) alertKind {
	switch {
	case strings.HasPrefix(a.Rule, "MG-FLEET-"):
		return kindFleet
	case !hasRun(doc) && a.Level == "incomplete":
		return kindIncomplete
	case !hasRun(doc):
		return kindLanded
	case tookSecrets(doc, steps):
		return kindTakeover
	}
	return kindRan
}

func hasRun(doc document) bool {
	if doc.number("unmapped", "mg_pid") != "" {
		return true
	}
	for _, e := range evidence(doc) {
		if _, ran := e.at("process").(map[string]any); ran {
			return true
		}
	}
	return false
}

func tookSecrets(doc document, steps []storyStep) bool {
	for _, step := range steps {
		for _, deed := range takeoverDeeds {
			if step.Deed && strings.Contains(step.Text, deed) {
				return true
			}
		}
	}
	for _, t := range techniques(doc) {
		for _, id := range takeoverTechniques {
			if t.ID == id || strings.HasPrefix(t.ID, id+".") {
				return true
			}
		}
	}
	return false
}

// Verdict says in a sentence what the kind means.
func (k alertKind) Verdict() string {
	switch k {
	case kindLanded:
		return "It lies on the machine. No launch of it was seen."
	case kindRan:
		return "It has run. Act on the machine and on what was used there."
	case kindTakeover:
		return "It has run and reached for passwords or sessions. Treat the accounts of this person as taken over."
	case kindIncomplete:
		return "It could not be judged to the end. That is not the same as clean."
	}
	return "This is about the agent on the machine, not about a file."
}

// ForUser is what to tell the person concerned, in their words.
func (k alertKind) ForUser() []string {
	switch k {
	case kindLanded:
		return []string{
			"Do not open the file. Delete it, and empty the bin.",
			"Do not continue the conversation that sent it. If you know the sender, call them on a number that you had before: their account may have been taken over.",
			"Join meetings in the browser or with the programs that are already installed. No meeting needs a download, an update or a pasted command.",
			"If you did open it, say so now. Nobody will blame you, and minutes count.",
		}
	case kindRan:
		return []string{
			"Disconnect the machine from the network and leave it switched on.",
			"Type no more passwords or codes on it, also if a window asks for one.",
			"Use another machine or your phone to call IT.",
		}
	case kindTakeover:
		return []string{
			"Disconnect the machine from the network and leave it switched on. Do everything below from another machine.",
			"Telegram: Settings, Devices, “Terminate all other sessions”. Then set two-step verification with a new password.",
			"Give no log-in code to anybody, whoever asks: no support, no colleague, no meeting needs it.",
			"Tell your contacts by another way that messages and invitations from you may not be yours.",
			"If the machine held wallets: move the funds to new wallets, made on another machine. The old keys are known to others.",
		}
	case kindIncomplete:
		return []string{"Do not open the file until IT has looked at it."}
	}
	return []string{"Leave the machine on and in the network, and do not remove or restart the agent yourself."}
}

// ForIT is what to do with machine and accounts.
func (k alertKind) ForIT() []string {
	switch k {
	case kindLanded:
		return []string{
			"Ask the user whether it was opened. If it was, or if they are not sure, go on as if it had run.",
			"Look for the same file and the same host of origin on other machines: see Prevalence and Similar alerts.",
			"Block the host of origin, and report the lookalike to the brand.",
			"Keep a copy of the file for analysis before it is deleted.",
		}
	case kindRan:
		return []string{
			"Isolate the machine. Keep its memory and disk before you clean it.",
			"End the processes of the tree, and look for what they left to start again: launch agents, run keys, scheduled tasks, login items.",
			"End all sessions of the user (identity provider, mail, chat, code hosting) and set new passwords from another machine.",
			"Look at Similar alerts for the same file, host or signer elsewhere.",
		}
	case kindTakeover:
		return []string{
			"Isolate the machine. Keep its memory and disk, then install it anew: a cleaned one is not trusted again.",
			"Rotate every key that was on it: SSH, API, cloud, code signing, VPN, password store. Begin with those that reach production.",
			"End all sessions and refresh tokens of the user, in every service: a new password alone does not end them.",
			"Look in mail, chat and calendar for invitations that were sent in the name of the user, and warn who got them.",
			"Treat wallets, seed phrases and signing devices used on the machine as known to the attacker.",
		}
	case kindIncomplete:
		return []string{
			"Read under Gaps what could not be learned: a password, a limit, damage.",
			"Inspect it by hand, or scan it again on the machine: meetguard scan PATH.",
		}
	}
	return []string{
		"Ask who worked on the machine: a new installation, a copied image and a repair look like this too.",
		"If nobody did, treat the machine as taken over by somebody with the rights of an administrator.",
	}
}

// Takeover tells whether the steps of an account takeover are offered besides.
func (k alertKind) Takeover() bool { return k == kindRan || k == kindLanded }

// IfTakenOver are the steps for accounts, for whoever opened a lure.
func (k alertKind) IfTakenOver() []string {
	return append(kindTakeover.ForUser()[1:], kindTakeover.ForIT()[1])
}
