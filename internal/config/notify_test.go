package config

import (
	"strings"
	"testing"
)

func TestNotify(t *testing.T) {
	for name, tc := range map[string]struct{ text, wrong string }{
		"blank":    {"notify: {text: {de: {do: \"Rufen Sie {contact} an.\"}}}", ""},
		"unknown":  {"notify: {text: {de: {do: \"Rufen Sie {phone} an.\"}}}", "notify.text.de.do: {phone} is not one of"},
		"open":     {"notify: {text: {de: {do: \"Rufen Sie {contact an.\"}}}", "is not closed"},
		"lines":    {"notify: {contact: \"a\\nb\"}", "notify.contact: one line"},
		"long":     {"notify: {text: {en: {do: " + strings.Repeat("x", 301) + "}}}", "notify.text.en.do: one line of at most 300"},
		"language": {"notify: {language: tlh}", "notify.language: \"tlh\" is not one of"},
	} {
		c := Default()
		err := Parse([]byte(tc.text), &c)
		if (err == nil) != (tc.wrong == "") || err != nil && !strings.Contains(err.Error(), tc.wrong) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil && !c.Notify.Enabled {
			t.Errorf("%s: what is not named has its default", name)
		}
	}
}

// TestNotifyLayers: a managed value replaces the whole key, and what it leaves out
// is the default and not what a person wrote into the file.
func TestNotifyLayers(t *testing.T) {
	file := put(t, "notify: {enabled: false, contact: me}")
	e, err := loadLayers(Inputs{File: file}, managed{from: "policy", keys: map[string]any{"notify": map[string]any{"contact": "IT, 4711"}}})
	if err != nil {
		t.Fatal(err)
	}
	if n := e.Config.Notify; !n.Enabled || n.Contact != "IT, 4711" || !e.Origins["notify"].Locked() {
		t.Errorf("got %+v from %+v", n, e.Origins["notify"])
	}
	e, err = loadLayers(Inputs{File: file, Env: []string{"MEETGUARD_NOTIFY={language: ko}"}}, managed{})
	if n := e.Config.Notify; err != nil || n.Language != "ko" || !n.Enabled {
		t.Errorf("of the environment: %+v, %v", n, err)
	}
	keys := fromPolicy([]policyValue{{Name: "Notify", Kind: "text", Text: "{enabled: false}"}})
	e, err = loadLayers(Inputs{File: file}, managed{from: "registry", keys: keys})
	if n := e.Config.Notify; err != nil || n.Enabled || n.Contact != "" {
		t.Errorf("of the registry: %+v, %v", n, err)
	}
}
