package signatures

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"meetguard"
)

var acme = meetguard.Brand{ID: "acmemeet", Name: "Acme Meet", Aliases: []string{"acmemeet"}, Subjects: []string{"Acme Corp"}, Hosts: []string{"meet.acme.example"}}

func TestMerge(t *testing.T) {
	known, err := Brands()
	if err != nil {
		t.Fatal(err)
	}
	before := len(known[0].Subjects)
	out, err := Merge(known, []meetguard.Brand{acme, {ID: "zoom", Subjects: []string{"Acme Corp", known[0].Subjects[0]}}})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) != len(known)+1 || out[len(known)].ID != "acmemeet" || len(out[len(known)].Sources) != 1 {
		t.Errorf("%d brands of %d, last %+v", len(out), len(known), out[len(out)-1])
	}
	if len(out[0].Subjects) != before+1 || !slices.Contains(out[0].Subjects, "Acme Corp") {
		t.Errorf("subjects of zoom: %v", out[0].Subjects)
	}
	if len(known[0].Subjects) != before {
		t.Error("the catalogue itself was changed")
	}
}

func TestMergeTellsEverything(t *testing.T) {
	known, err := Brands()
	if err != nil {
		t.Fatal(err)
	}
	bad := meetguard.Brand{ID: "Bad Id", Aliases: []string{"zoomus"}}
	_, err = Merge(known, []meetguard.Brand{bad, acme, acme, {ID: "webex", RetiredOn: "2024-01-01"}, {ID: "zoom", TeamIDs: []string{"x"}}})
	for _, want := range []string{"lower-case letters and digits", "no name", "no hosts", `"zoomus" belongs to both`, "acmemeet\": it stands there twice", "only entries of lists", "team_ids"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
}

// TestExtendKnowsEveryList: a list that is added to Brand must be added there.
func TestExtendKnowsEveryList(t *testing.T) {
	var more meetguard.Brand
	v := reflect.ValueOf(&more).Elem()
	for i := range v.NumField() {
		if v.Field(i).Kind() == reflect.Slice {
			v.Field(i).Set(reflect.ValueOf([]string{"x"}))
		}
	}
	got := reflect.ValueOf(extend(meetguard.Brand{}, more))
	for i := range got.NumField() {
		if got.Field(i).Kind() == reflect.Slice && got.Field(i).Len() != 1 {
			t.Errorf("%s is not extended", got.Type().Field(i).Name)
		}
	}
}
