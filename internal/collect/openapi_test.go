package collect

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

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
		if !isPage(r) {
			served = append(served, r.method+" "+r.path)
		}
	}
	slices.Sort(described)
	slices.Sort(served)
	if !slices.Equal(described, served) {
		t.Errorf("\ndescribed %v\nserved    %v", described, served)
	}
}

// Every route that is described and can be read without more answers, so that
// the table and the mux agree.
func TestOpenAPIRoutesAnswer(t *testing.T) {
	s := newSite(t)
	s.send("a", string(record("r1", "")))
	doc, _ := readAPI(t, s)
	for path, methods := range doc.Paths {
		_, get := methods["get"]
		elsewhere := strings.Contains(path, "{") && !strings.HasPrefix(path, "/v1/alerts/") && !strings.HasPrefix(path, "/alerts/")
		if !get || elsewhere || strings.HasPrefix(path, "/v1/oidc/") || path == "/v1/events" {
			continue
		}
		ask := strings.ReplaceAll(path, "{id}", store.AlertID("a", "r1"))
		if path == "/v1/counts" {
			ask += "?column=level"
		}
		if a := s.get(ask); a.status != 200 {
			t.Errorf("%s: %d", path, a.status)
		}
	}
}

// bodies are the types behind the schemas: what is written and described must
// have the same keys.
func bodies() map[string]any {
	return map[string]any{
		"Alert": store.Alert{}, "Alerts": alertsResponse{}, "Finding": store.Group{}, "Findings": findingsResponse{}, "Event": store.Event{},
		"History": historyResponse{}, "Similar": similarResponse{}, "Prevalence": store.Prevalence{}, "Triage": triageRequest{}, "NoteRequest": noteRequest{},
		"Count": store.Count{}, "Counts": countsResponse{}, "RuleStat": store.RuleStat{}, "Rules": rulesResponse{}, "JobRequest": jobRequest{}, "Job": jobView{},
		"Jobs": jobsResponse{}, "Exception": store.Exception{}, "Exceptions": exceptionsResponse{}, "ExceptionRequest": exceptionRequest{}, "Preview": previewResponse{},
		"Report": report{}, "Delay": delay{}, "Care": care{}, "Fleet": store.FleetCounts{}, "Groups": groupsResponse{}, "Agent": agentView{}, "Agents": agentsResponse{},
		"LogState": store.LogState{}, "MoveRequest": moveRequest{}, "Token": store.Token{}, "Tokens": tokensResponse{}, "TokenRequest": tokenRequest{}, "NewToken": tokenResponse{},
		"DeadLetter": deadLetterView{}, "DeadLetters": deadLettersResponse{}, "User": userView{}, "Users": usersResponse{}, "UserRequest": userRequest{}, "NewUser": newUserResponse{},
		"UserPatch": userPatch{}, "Session": store.Session{}, "Sessions": sessionsResponse{}, "Ended": endedResponse{}, "APITokenRequest": apiTokenRequest{}, "NewAPIToken": apiTokenResponse{},
		"AuditEntry": store.AuditEntry{}, "Audit": auditResponse{}, "Settings": settingsResponse{}, "Exit": exitView{}, "Exits": exitsResponse{}, "LoginRequest": loginRequest{},
		"CodeRequest": totpLoginRequest{}, "LoginState": loginResponse{}, "Me": meResponse{}, "PasswordRequest": passwordRequest{}, "ConfirmRequest": confirmRequest{}, "TOTP": totpResponse{},
		"RecoveryCodes": recoveryResponse{}, "Result": store.Result{}, "BatchResults": batchResponse{}, "Labels": store.Agent{}, "EnrolRequest": enrolRequest{}, "Enrolment": enrolResponse{},
		"Health": health{}, "Problem": problem{},
	}
}

// jsonKeys are the keys that a type is written with, those of embedded types too.
func jsonKeys(t reflect.Type) []string {
	var keys []string
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			keys = append(keys, jsonKeys(f.Type)...)
		case name != "-" && name != "":
			keys = append(keys, name)
		}
	}
	slices.Sort(keys)
	return keys
}

func TestOpenAPIDescribesEveryKey(t *testing.T) {
	doc, _ := readAPI(t, newSite(t))
	all := bodies()
	for name, schema := range doc.Components.Schemas {
		want := slices.Sorted(maps.Keys(schema.Properties))
		if v, known := all[name]; known {
			if got := jsonKeys(reflect.TypeOf(v)); !slices.Equal(got, want) {
				t.Errorf("%s\nwritten   %v\ndescribed %v", name, got, want)
			}
		} else if name != "Batch" && name != "RenewRequest" {
			t.Errorf("nothing is written as %s", name)
		}
		for _, key := range schema.Required {
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
