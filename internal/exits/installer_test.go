package exits

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/bradleyjkemp/sigma-go"
	"github.com/bradleyjkemp/sigma-go/evaluator"
	"go.yaml.in/yaml/v3"
)

func installed(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "installer", filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

var reMetric = regexp.MustCompile(`meetguard_collector_(\w+)`)

// TestMonitoringNames wants the rules and the dashboard to use the metrics of
// the list and no others, and to use every one of them.
func TestMonitoringNames(t *testing.T) {
	listed := map[string]bool{}
	kinds := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (\\w+) \\|").FindAllSubmatch(installed(t, "monitoring/README.md"), -1) {
		listed[string(m[1])], kinds[string(m[1])] = true, string(m[2])
	}
	used := map[string]bool{}
	for _, file := range []string{"monitoring/meetguard.rules.yml", "monitoring/grafana.json"} {
		for _, m := range reMetric.FindAllSubmatch(installed(t, file), -1) {
			name := string(m[1])
			base := strings.TrimSuffix(name, "_bucket")
			if !listed[base] || (base != name) != (kinds[base] == "histogram") {
				t.Errorf("%s uses %s, which is not in the list", file, name)
			}
			used[base] = true
		}
	}
	for name := range listed {
		if !used[name] {
			t.Errorf("nothing shows %s", name)
		}
	}
	if len(listed) < 18 {
		t.Errorf("the list has %d metrics", len(listed))
	}
}

// TestMonitoringFiles wants both files to be readable and whole.
func TestMonitoringFiles(t *testing.T) {
	var rules struct {
		Groups []struct {
			Name  string `yaml:"name"`
			Rules []struct {
				Alert       string            `yaml:"alert"`
				Expr        string            `yaml:"expr"`
				For         string            `yaml:"for"`
				Labels      map[string]string `yaml:"labels"`
				Annotations map[string]string `yaml:"annotations"`
			} `yaml:"rules"`
		} `yaml:"groups"`
	}
	dec := yaml.NewDecoder(bytes.NewReader(installed(t, "monitoring/meetguard.rules.yml")))
	dec.KnownFields(true)
	if err := dec.Decode(&rules); err != nil {
		t.Fatal(err)
	}
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			if r.Alert == "" || r.Expr == "" || r.Labels["severity"] == "" || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
				t.Errorf("rule %q of %s is not whole", r.Alert, g.Name)
			}
		}
	}
	var dashboard struct {
		Panels []struct {
			ID      int
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(installed(t, "monitoring/grafana.json"), &dashboard); err != nil {
		t.Fatal(err)
	}
	for i, p := range dashboard.Panels {
		if p.ID != i+1 || p.Title == "" || len(p.Targets) == 0 {
			t.Errorf("panel %d is not whole: %+v", i, p)
		}
	}
}

// changed is a sample as an exit sends it, with some of its fields replaced, and
// flat, as Sigma names fields.
func changed(t *testing.T, name string, fields map[string]any) map[string]any {
	t.Helper()
	var doc map[string]any
	it := sample(t, name)
	it.Status = "new"
	if err := json.Unmarshal(open(it, naming{}).ocsf(), &doc); err != nil {
		t.Fatal(err)
	}
	flat := map[string]any{}
	flatten(flat, "", doc)
	for k, v := range fields {
		if _, ok := flat[k]; !ok && k != "unmapped.mg_pid" {
			t.Errorf("the records have no field %s", k)
		}
		flat[k] = v
	}
	return flat
}

func flatten(into map[string]any, prefix string, doc map[string]any) {
	for k, v := range doc {
		if inner, ok := v.(map[string]any); ok {
			flatten(into, prefix+k+".", inner)
		} else {
			into[prefix+k] = v
		}
	}
}

// TestSigmaRules lets every rule fire on a record that it is for, and keep still
// for the same record with one field changed.
func TestSigmaRules(t *testing.T) {
	type fields = map[string]any
	cases := map[string]struct {
		sample string
		fires  fields
		still  []fields
	}{
		"fake_meeting_software_launched": {"launch", fields{"unmapped.mg_level": "malicious"},
			[]fields{{"unmapped.mg_level": "suspicious"}, {"unmapped.mg_pid": 0.0}, {"unmapped.mg_status": "suppressed"}}},
		"trusted_signature_wrong_brand": {"launch", nil,
			[]fields{{"unmapped.mg_signature": "unsigned"}, {"unmapped.mg_brand": ""}, {"unmapped.mg_status": "suppressed"}}},
		"lookalike_download": {"file", nil,
			[]fields{{"unmapped.mg_source_host": ""}, {"unmapped.mg_level": "suspicious"}, {"unmapped.mg_status": "suppressed"}}},
		"not_judged": {"file", fields{"unmapped.mg_level": "incomplete"},
			[]fields{{"unmapped.mg_level": "malicious"}, {"unmapped.mg_brand": ""}, {"unmapped.mg_status": "suppressed"}}},
		"launch_chain_grew": {"launch", nil,
			[]fields{{"activity_id": 1.0}, {"unmapped.mg_level": "incomplete"}, {"unmapped.mg_status": "suppressed"}}},
	}
	files, err := filepath.Glob(filepath.Join("..", "..", "installer", "siem", "sigma", "*.yml"))
	if err != nil || len(files) != len(cases) {
		t.Fatalf("%d rules, %d are tested (%v)", len(files), len(cases), err)
	}
	ids := map[string]bool{}
	for name, c := range cases {
		rule, err := sigma.ParseRule(installed(t, "siem/sigma/"+name+".yml"))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if rule.Title == "" || rule.ID == "" || ids[rule.ID] || rule.Level == "" || rule.Logsource.Product != "meetguard" {
			t.Errorf("%s is not whole", name)
		}
		ids[rule.ID] = true
		matches := func(replace ...fields) bool {
			event := changed(t, c.sample, c.fires)
			for _, r := range replace {
				for k, v := range r {
					event[k] = v
				}
			}
			got, err := evaluator.ForRule(rule).Matches(context.Background(), event)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			return got.Match
		}
		if !matches() {
			t.Errorf("%s does not fire on its record", name)
		}
		for _, s := range c.still {
			if matches(s) {
				t.Errorf("%s fires with %v", name, s)
			}
		}
		if !bytes.Contains(installed(t, "siem/sigma/README.md"), []byte("`"+name+".yml`")) {
			t.Errorf("the README does not name %s", name)
		}
	}
}
