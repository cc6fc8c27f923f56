package config

import (
	"slices"
	"testing"

	"golang.org/x/sys/windows/registry"
)

// TestPolicyOfRegistry writes a policy as Windows does, below the own user, and
// reads it.
func TestPolicyOfRegistry(t *testing.T) {
	const path = `SOFTWARE\MeetGuardTest`
	k, _, err := registry.CreateKey(registry.CURRENT_USER, path, registry.ALL_ACCESS)
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	list, _, err := registry.CreateKey(k, "watch", registry.ALL_ACCESS)
	if err != nil {
		t.Fatal(err)
	}
	defer list.Close()
	t.Cleanup(func() {
		registry.DeleteKey(registry.CURRENT_USER, path+`\watch`)
		registry.DeleteKey(registry.CURRENT_USER, path)
	})
	for _, err := range []error{k.SetDWordValue("Workers", 3), k.SetStringValue("collector", "https://c.invalid"), k.SetBinaryValue("rules", []byte{1}),
		list.SetStringValue("2", `D:\b`), list.SetStringValue("1", `D:\a`)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	values, err := policyValues(registry.CURRENT_USER, "", path)
	if err != nil {
		t.Fatal(err)
	}
	e, err := loadLayers(Inputs{File: put(t, "")}, managed{from: "policy", keys: fromPolicy(values)})
	if err != nil {
		t.Fatal(err)
	}
	c := e.Config
	if c.Workers != 3 || c.Collector != "https://c.invalid" || !slices.Equal(c.Watch, []string{`D:\a`, `D:\b`}) {
		t.Errorf("%+v", c)
	}
	if len(e.Refused) != 1 || e.Refused[0].Key != "rules" {
		t.Errorf("refused: %+v", e.Refused)
	}
}
