package config

import (
	"bytes"
	"encoding/xml"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"meetguard"
)

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("config.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("config.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// valid holds a file against the schema.
func valid(t *testing.T, s *jsonschema.Schema, text string) error {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return s.Validate(v)
}

// TestSchemaHasEveryKey holds the schema to the types, nested ones too.
func TestSchemaHasEveryKey(t *testing.T) {
	props := func(s *jsonschema.Schema) []string {
		var out []string
		for key, p := range s.Properties {
			if p.Description == "" {
				t.Errorf("%s has no description", key)
			}
			out = append(out, key)
		}
		slices.Sort(out)
		return out
	}
	fields := func(v any) []string {
		var out []string
		for i := range reflect.TypeOf(v).NumField() {
			out = append(out, keyOf(reflect.TypeOf(v).Field(i)))
		}
		slices.Sort(out)
		return out
	}
	s := compiled(t)
	brand := s.Properties["brands"].Items2020
	friend := s.Properties["friends"].Items2020
	notify := s.Properties["notify"]
	sentences := notify.Properties["text"].AdditionalProperties.(*jsonschema.Schema)
	for name, pair := range map[string][2][]string{
		"Config": {props(s), fields(Config{})}, "Brand": {props(brand), fields(meetguard.Brand{})},
		"Friend": {props(friend), fields(meetguard.Friend{})}, "Certificate": {props(friend.Properties["certificate"]), fields(meetguard.Certificate{})},
		"Notify": {props(notify), fields(Notify{})}, "NoticeWords": {props(sentences), fields(meetguard.NoticeWords{})},
	} {
		if !slices.Equal(pair[0], pair[1]) {
			t.Errorf("%s: the schema has %v, the type %v", name, pair[0], pair[1])
		}
	}
}

// TestSchemaAgrees: what Parse takes the schema takes, and the other way round,
// as far as it can tell.
func TestSchemaAgrees(t *testing.T) {
	s := compiled(t)
	for name, tc := range map[string]struct {
		text string
		good bool
	}{
		"empty":       {"{}", true},
		"good":        {"workers: 2\nlaunches: poll\nfiles: auto\nlog_mib: 1\nwatch: []\n", true},
		"friend":      {"friends: [{name: n, team_id: ACME123456, brands: [zoom], why: w, who: j, expires: \"2999-01-01\"}]", true},
		"brand":       {"brands: [{id: zoom, hosts: [zoom.acme.example]}]", true},
		"notices":     {"notify: {contact: \"IT, 4711\", language: ja, text: {en: {do: \"Call {contact}.\"}}}", true},
		"no notices":  {"notify: {enabled: false}", true},
		"unknown":     {"wrokers: 2", false},
		"notify key":  {"notify: {contakt: IT}", false},
		"language":    {"notify: {language: xx}", false},
		"no sentence": {"notify: {text: {en: {dont: no}}}", false},
		"no language": {"notify: {text: {tlh: {do: no}}}", false},
		"bad type":    {"workers: many", false},
		"too many":    {"workers: 9", false},
		"bad choice":  {"launches: never", false},
		"two proofs":  {"friends: [{name: n, team_id: ACME123456, folder: /x, why: w, who: j, expires: \"2999-01-01\"}]", false},
		"no reason":   {"friends: [{name: n, team_id: ACME123456, who: j, expires: \"2999-01-01\"}]", false},
		"bad team id": {"friends: [{name: n, team_id: acme, why: w, who: j, expires: \"2999-01-01\"}]", false},
	} {
		t.Run(name, func(t *testing.T) {
			c := Default()
			if err := Parse([]byte(tc.text), &c); (err == nil) != tc.good {
				t.Errorf("Parse: %v", err)
			}
			if err := valid(t, s, tc.text); (err == nil) != tc.good {
				t.Errorf("schema: %v", err)
			}
		})
	}
	text, err := Default().YAML()
	if err != nil {
		t.Fatal(err)
	}
	if err := valid(t, s, strings.ReplaceAll(string(text), "null", "[]")); err != nil {
		t.Errorf("what `config show` prints: %v", err)
	}
}

// TestExamplesAreGood holds every YAML example of a configuration in the
// documents to the schema and to Parse.
func TestExamplesAreGood(t *testing.T) {
	s, seen := compiled(t), 0
	reBlock := regexp.MustCompile("(?s)```yaml\n(.*?)```")
	for _, name := range []string{"../../README.md", "../../docs/config.md"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range reBlock.FindAllStringSubmatch(string(text), -1) {
			seen++
			c := Default()
			if err := Parse([]byte(m[1]), &c); err != nil {
				t.Errorf("%s: %v in\n%s", name, err, m[1])
			}
			var doc any
			if err := yaml.Unmarshal([]byte(m[1]), &doc); err == nil {
				if err := s.Validate(dates(doc)); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
	if seen < 2 {
		t.Errorf("only %d examples were found", seen)
	}
}

// dates turns the times that YAML reads into the days that were written.
func dates(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = dates(v[k])
		}
	case []any:
		for i := range v {
			v[i] = dates(v[i])
		}
	case interface{ Format(string) string }:
		return v.Format("2006-01-02")
	}
	return v
}

// TestPolicyTemplate holds the ADMX and ADML files to the keys: each has its
// policy, and every text that the one names is in the other.
func TestPolicyTemplate(t *testing.T) {
	folder := filepath.Join("..", "..", "installer", "windows")
	admx, err := os.ReadFile(filepath.Join(folder, "MeetGuard.admx"))
	if err != nil {
		t.Fatal(err)
	}
	adml, err := os.ReadFile(filepath.Join(folder, "en-US", "MeetGuard.adml"))
	if err != nil {
		t.Fatal(err)
	}
	var policies struct {
		Policies []struct {
			Name string `xml:"name,attr"`
			Key  string `xml:"key,attr"`
		} `xml:"policies>policy"`
	}
	if err := xml.Unmarshal(admx, &policies); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range policies.Policies {
		names = append(names, p.Name)
		if p.Key != `SOFTWARE\Policies\MeetGuard` {
			t.Errorf("%s is written to %s", p.Name, p.Key)
		}
	}
	if !slices.Equal(names, Keys()) {
		t.Errorf("policies %v, keys %v", names, Keys())
	}
	var texts struct {
		Strings []struct {
			ID string `xml:"id,attr"`
		} `xml:"resources>stringTable>string"`
		Presentations []struct {
			ID string `xml:"id,attr"`
		} `xml:"resources>presentationTable>presentation"`
	}
	if err := xml.Unmarshal(adml, &texts); err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for _, s := range texts.Strings {
		have["string."+s.ID] = true
	}
	for _, p := range texts.Presentations {
		have["presentation."+p.ID] = true
	}
	for _, m := range regexp.MustCompile(`\$\(((?:string|presentation)\.[^)]+)\)`).FindAllSubmatch(admx, -1) {
		if !have[string(m[1])] {
			t.Errorf("the texts have no %s", m[1])
		}
	}
}
