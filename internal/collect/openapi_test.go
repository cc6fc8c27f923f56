package collect

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"meetguard/internal/store"
)

// apiDoc is the part of openapi.yaml that is checked.
type apiDoc struct {
	Paths      map[string]map[string]any `yaml:"paths"`
	Components struct {
		Schemas map[string]struct {
			Required   []string       `yaml:"required"`
			Properties map[string]any `yaml:"properties"`
		} `yaml:"schemas"`
	} `yaml:"components"`
}

func readAPI(t *testing.T, s *site) (doc apiDoc, tree any) {
	t.Helper()
	text := []byte(s.get("/openapi.yaml").body)
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	return doc, tree
}

func TestOpenAPIHasEveryRoute(t *testing.T) {
	doc, _ := readAPI(t, newSite(t))
	var described, served []string
	for path, methods := range doc.Paths {
		for method := range methods {
			described = append(described, strings.ToUpper(method)+" "+path)
		}
	}
	for _, r := range new(Server).routes() {
		served = append(served, r.method+" "+r.path)
	}
	slices.Sort(described)
	slices.Sort(served)
	if !slices.Equal(described, served) {
		t.Errorf("\ndescribed %v\nserved    %v", described, served)
	}
}

// Every route that is described answers, so that the table and the mux agree.
func TestOpenAPIRoutesAnswer(t *testing.T) {
	s := newSite(t)
	s.send("a", string(record("r1", "")))
	doc, _ := readAPI(t, s)
	for path, methods := range doc.Paths {
		if _, ok := methods["get"]; ok {
			if a := s.get(strings.ReplaceAll(path, "{id}", store.AlertID("a", "r1"))); a.status != 200 {
				t.Errorf("%s: %d", path, a.status)
			}
		}
	}
}

func TestOpenAPIDescribesEveryKey(t *testing.T) {
	doc, _ := readAPI(t, newSite(t))
	now := time.Now()
	for name, v := range map[string]any{
		"Alert":        store.Alert{Time: now, Record: json.RawMessage("{}")},
		"Alerts":       alertsResponse{},
		"Agent":        store.AgentStatus{Heartbeat: json.RawMessage("{}")},
		"Agents":       agentsResponse{},
		"Result":       store.Result{Reason: "x"},
		"BatchResults": batchResponse{},
		"Batch":        map[string]any{"agent": 0, "heartbeat": 0, "alerts": 0},
		"Health":       health{},
		"Problem":      problem{Detail: "x"},
	} {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var keys map[string]any
		decode(t, string(text), &keys)
		got := slices.Sorted(maps.Keys(keys))
		want := slices.Sorted(maps.Keys(doc.Components.Schemas[name].Properties))
		if !slices.Equal(got, want) {
			t.Errorf("%s\nwritten   %v\ndescribed %v", name, got, want)
		}
		for _, key := range doc.Components.Schemas[name].Required {
			if !slices.Contains(want, key) {
				t.Errorf("%s requires %s, which it does not describe", name, key)
			}
		}
	}
}

func TestOpenAPIReferencesResolve(t *testing.T) {
	_, tree := readAPI(t, newSite(t))
	n := 0
	walk(tree, func(ref string) {
		n++
		node := tree
		for _, key := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
			m, _ := node.(map[string]any)
			node = m[key]
		}
		if node == nil {
			t.Errorf("%s leads nowhere", ref)
		}
	})
	if n < 20 {
		t.Errorf("only %d references were found", n)
	}
}

// walk calls visit for every $ref below node.
func walk(node any, visit func(ref string)) {
	switch v := node.(type) {
	case map[string]any:
		for key, value := range v {
			if ref, ok := value.(string); ok && key == "$ref" {
				visit(ref)
			}
			walk(value, visit)
		}
	case []any:
		for _, value := range v {
			walk(value, visit)
		}
	}
}
