package collect

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"meetguard/internal/people"
	"meetguard/internal/store"
)

// readCSV reads an export as a spreadsheet would.
func readCSV(t *testing.T, a answer) [][]string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(a.body)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestExport(t *testing.T) {
	a := newAPISite(t)
	a.many(exportPage+3, "a1", "sales")
	a.many(2, "a2", "lab")
	ana := a.someone(people.Analyst, "sales")
	res := ana.want(200, "GET", "/v1/export/alerts?brand=zoom&limit=1", nil, nil)
	rows := readCSV(t, res)
	if len(rows) != exportPage+4 || strings.Join(rows[0], ",") != strings.Join(alertHeader, ",") || len(rows[1]) != len(alertHeader) {
		t.Errorf("%d rows", len(rows))
	}
	if d := res.header.Get("Content-Disposition"); d != `attachment; filename="alerts.csv"` {
		t.Error(d)
	}
	res = a.someone(people.Analyst).want(200, "GET", "/v1/export/alerts?format=jsonl", nil, nil)
	lines := strings.Split(strings.TrimSuffix(res.body, "\n"), "\n")
	var one store.Alert
	if len(lines) != exportPage+5 || json.Unmarshal([]byte(lines[0]), &one) != nil || one.Record == nil {
		t.Errorf("%d lines, %s", len(lines), lines[0])
	}
	if rows := readCSV(t, ana.want(200, "GET", "/v1/export/alerts?brand=none", nil, nil)); len(rows) != 1 {
		t.Errorf("an empty export has %d rows", len(rows))
	}
	ana.want(400, "GET", "/v1/export/alerts?format=xml", nil, nil)
	admin := a.someone(people.Admin)
	rows = readCSV(t, admin.want(200, "GET", "/v1/export/audit?action=alert.export", nil, nil))
	if len(rows) != 4 || rows[3][4] != "brand=zoom&limit=1" {
		t.Errorf("%v", rows)
	}
	admin.want(200, "GET", "/v1/export/audit?format=jsonl", nil, nil)
}

// What a spreadsheet would run stays text, and one record stays one row.
func TestExportOfHostileNames(t *testing.T) {
	a := newAPISite(t)
	names := append([]string{`=cmd|'/c calc'!A0`, `+1`, `-1+1`, `@SUM(A1)`, "\t=1", "\r=1", `"=1`, `;=1`, "a\n=1", "\u202e=1"}, hostileNames...)
	for i, name := range names {
		a.alert("a1", "sales", "r"+string(rune('a'+i)), strings.TrimPrefix(hostileRecord("x", name), `{"class_uid":2004,"metadata":{"uid":"x"},`)[:len(hostileRecord("x", name))-len(`{"class_uid":2004,"metadata":{"uid":"x"},`)-1])
	}
	rows := readCSV(t, a.someone(people.Analyst).want(200, "GET", "/v1/export/alerts", nil, nil))
	if len(rows) != len(names)+1 {
		t.Fatalf("%d rows of %d alerts", len(rows), len(names))
	}
	for _, row := range rows[1:] {
		for _, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) || strings.ContainsFunc(cell, deceptive) {
				t.Errorf("cell %q", cell)
			}
		}
	}
	body := a.someone(people.Analyst).want(200, "GET", "/v1/export/alerts?format=jsonl", nil, nil).body
	if strings.Count(body, "\n") != len(names) || strings.ContainsFunc(strings.ReplaceAll(body, "\n", ""), deceptive) {
		t.Error("a line was forged")
	}
}

// halfStore fails on the second page.
type halfStore struct {
	store.Store
	pages int
}

func (h *halfStore) Alerts(ctx context.Context, s store.Scope, f store.Filter) (store.Page, error) {
	if h.pages++; h.pages > 1 {
		return store.Page{}, errLostStore
	}
	return h.Store.Alerts(ctx, s, f)
}

// An export that cannot be ended is broken off: nobody takes a part for the whole.
func TestExportIsCutOff(t *testing.T) {
	a := newAPISite(t, func(c *Config) { c.Store = &halfStore{Store: c.Store} })
	a.many(exportPage+1, "a1", "sales")
	ana := a.someone(people.Analyst)
	req, err := http.NewRequestWithContext(t.Context(), "GET", "https://"+a.addr+"/v1/export/alerts", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = ana.header
	res, err := ana.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil || bytes.Count(text, []byte("\n")) < 2 {
		t.Errorf("%d bytes and no error", len(text))
	}
}
