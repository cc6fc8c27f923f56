package alert

import (
	"testing"

	"meetguard"
)

// Whoever shows reasons with their weights goes by place: the lists are as long as
// one another, whatever an alert is.
func TestEveryReasonHasItsRuleAndWeight(t *testing.T) {
	for name, a := range everyAlert() {
		u := NewRecord(meetguard.Host{}, Product{}, a).Unmapped
		if len(u.Rules) != len(u.Reasons) || len(u.Weights) != len(u.Reasons) {
			t.Errorf("%s: %d reasons, %d rules, %d weights", name, len(u.Reasons), len(u.Rules), len(u.Weights))
		}
	}
	u := NewRecord(meetguard.Host{}, Product{}, launchAlert()).Unmapped
	if u.Rules[0] != "paste.cradle" || u.Weights[0] != 5 {
		t.Errorf("%v %v", u.Rules, u.Weights)
	}
}
