package people

import (
	"slices"
	"testing"
)

// mayTable is who may do what: v, a, f and m are the roles from viewer to admin;
// a star marks actions that somebody limited to groups may not do.
var mayTable = map[Action]string{
	"alert.read": "vafm", "agent.read": "vafm", "exception.read": "vafm", "rule.read": "vafm", "report.read": "vafm",
	"job.read": "vafm", "self.manage": "vafm",
	"alert.triage": "afm", "export": "afm", "exception.create": "afm", "exception.end": "afm", "job.create": "afm", "deadletter.read": "afm",
	"token.read": "fm", "token.create": "fm", "token.revoke": "fm", "agent.manage": "fm",
	"user.read": "m*", "user.manage": "m*", "settings.read": "m*", "settings.manage": "m*",
	"exit.read": "m*", "exit.manage": "m*", "audit.read": "m*",
}

func TestMay(t *testing.T) {
	letters := map[Role]byte{Viewer: 'v', Analyst: 'a', FleetAdmin: 'f', Admin: 'm'}
	if len(Actions()) != len(mayTable) {
		t.Errorf("%d actions, %d in the table", len(Actions()), len(mayTable))
	}
	for action, who := range mayTable {
		if !slices.Contains(Actions(), action) {
			t.Errorf("%s is not listed", action)
		}
		whole := who[len(who)-1] == '*'
		for _, role := range Roles() {
			want := slices.Contains([]byte(who), letters[role])
			if got := role.May(action); got != want {
				t.Errorf("%s may %s: %v, want %v", role, action, got, want)
			}
			if got := role.MayWithin(action); got != (want && !whole) {
				t.Errorf("%s limited to groups may %s: %v, want %v", role, action, got, want && !whole)
			}
		}
	}
}

func TestMayRefusesUnknown(t *testing.T) {
	for _, role := range []Role{"", "root", "Admin", "admin "} {
		if role.May(AlertRead) || role.MayWithin(AlertRead) {
			t.Errorf("role %q may read", role)
		}
		if _, err := ParseRole(string(role)); err == nil {
			t.Errorf("role %q was parsed", role)
		}
	}
	for _, action := range []Action{"", "alert", "alert.", "alert.delete"} {
		if Admin.May(action) || Admin.MayWithin(action) {
			t.Errorf("action %q is allowed", action)
		}
	}
	if r, err := ParseRole("fleet-admin"); r != FleetAdmin || err != nil {
		t.Errorf("%q, %v", r, err)
	}
}
