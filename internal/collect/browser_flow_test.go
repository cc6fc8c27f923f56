package collect

import (
	"encoding/base32"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	cdp "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"meetguard/internal/people"
	"meetguard/internal/store"
)

// withCodes gives an account one-time codes and returns their secret.
func (f *fleetSite) withCodes(t *testing.T, u store.User) []byte {
	t.Helper()
	secret := people.NewTOTPSecret()
	u.TOTP = f.srv.sealer.Seal(totpUse(u), secret)
	if err := f.store.UpdateUser(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	return secret
}

// An analyst's day in a real browser: log in with a code, a new alert comes in
// while the page is open, triage with nothing but the keyboard, bulk close,
// export, an exception with its preview, the report.
func TestConsole(t *testing.T) {
	f := newFleetSite(t)
	devices := f.demo(t)
	secret := f.withCodes(t, f.account(t, "ana", people.Analyst))
	b := newBrowser(t, f)

	t.Run("log in", func(t *testing.T) { b.as(t).logInWithCode(secret) })
	t.Run("an alert arrives", func(t *testing.T) { b.as(t).alertArrives(devices[0]) })
	t.Run("triage by keyboard", func(t *testing.T) { b.as(t).triageByKeyboard() })
	t.Run("bulk close", func(t *testing.T) { b.as(t).bulkClose() })
	t.Run("export", func(t *testing.T) { b.as(t).export() })
	t.Run("exception", func(t *testing.T) { b.as(t).exception(devices[1]) })
	t.Run("report", func(t *testing.T) { b.as(t).report() })
	t.Run("log out", func(t *testing.T) { b.as(t).logOut() })
}

// Without its script the console does the same, by forms.
func TestWithoutScript(t *testing.T) {
	f := newFleetSite(t)
	f.demo(t)
	f.account(t, "ana", people.Analyst)
	b := newBrowser(t, f)
	b.login("ana")
	b.sees("Fake Zoom installer")
	b.do(emulation.SetScriptExecutionDisabled(true))
	b.open("/?brand=msteams")
	n := b.count(store.Filter{Brand: "msteams"})
	b.do(chromedp.Click("td.check input"), chromedp.Click("[data-key=c]"), chromedp.SendKeys("#closing-note", "by a form", chromedp.NodeVisible), chromedp.Click("#closing button.main"))
	b.sees(fmt.Sprintf("%d alerts are closed.", n))
	b.shot("without-script")
	b.noFaults()
}

// A first password has to be changed before anything else, then one-time codes are
// set up; the next log-in asks for one, and a recovery code does in its place.
func TestFirstLogIn(t *testing.T) {
	f := newFleetSite(t)
	u := f.account(t, "kim", people.Admin)
	u.MustChange = true
	if err := f.store.UpdateUser(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t, f)
	b.login("kim")
	b.sees("Choose your own before you go on.")
	b.open("/fleet") // leads back here
	b.sees("Choose your own before you go on.")
	const chosen = "seven quiet lanterns drift"
	b.do(chromedp.SendKeys("#old", testPassword), chromedp.SendKeys("#new", chosen), chromedp.SendKeys("#again", chosen+"\r"))
	b.sees("The password is changed.")
	b.do(chromedp.SendKeys("#totp-password", chosen+"\r"))
	b.sees("Put this secret into your authenticator app")
	b.shot("totp-set-up")
	text := strings.ReplaceAll(b.eval(`document.querySelector("#totp-secret").textContent`), " ", "")
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.SendKeys("#code", people.TOTPCode(secret, people.TOTPStep(f.clock()))+"\r"))
	b.sees("Recovery codes")
	recovery := b.eval(`document.querySelector("ul.mono li").textContent`)
	b.shot("recovery-codes")
	b.eval(`document.querySelector('form[action="/logout"] button').click()`)
	b.sees("You are logged out.")
	b.do(chromedp.SendKeys("#name", "kim"), chromedp.SendKeys("#password", chosen+"\r"))
	b.sees("Code of your authenticator, or a recovery code")
	b.do(chromedp.SendKeys("#code", recovery+"\r"))
	b.sees("Nothing is open.")
	b.noFaults()
}

// as is the browser for a part of a test.
func (b *browser) as(t *testing.T) *browser {
	b.t = t
	t.Cleanup(b.noFaults)
	return b
}

func (b *browser) logInWithCode(secret []byte) {
	b.open("/?brand=zoom") // leads to the log-in, and back here after it
	b.sees("Log in")
	b.do(chromedp.SendKeys("#name", "ana"), chromedp.SendKeys("#password", "not the password\r"))
	b.sees("The name, the password or the code is wrong.")
	b.expect("401") // the browser notes the status of the answer
	b.do(chromedp.SendKeys("#password", testPassword+"\r"))
	b.sees("Code of your authenticator")
	b.do(chromedp.SendKeys("#code", people.TOTPCode(secret, people.TOTPStep(b.f.clock()))+"\r"))
	b.sees("Fake Zoom installer")
	if at := b.where(); !strings.HasSuffix(at, "/?brand=zoom") {
		b.t.Errorf("led to %s", at)
	}
}

func (b *browser) alertArrives(d *testDevice) {
	b.open("/")
	b.until("the live stream", `document.querySelector("[data-live]").dataset.state === "on"`)
	l := specimens[0]
	l.uid, l.file, l.host = "live-1", "ZoomUpdate.exe", "zoom-update.invalid"
	d.want(200, "", "/v1/agent/batch", d.batchAs(b.t, nil, l.record(d.hostname(b.t), b.f.clock())))
	b.sees("1 new alert: show")
	if title := b.eval(`document.title`); title != "(1) Alerts · meetguard" {
		b.t.Errorf("title %q", title)
	}
	b.shot("alert-arrives")
	b.do(chromedp.Click("[data-live] a"))
	b.sees("ZoomUpdate.exe")
}

// triageByKeyboard touches no pointer.
func (b *browser) triageByKeyboard() {
	b.open("/?text=ZoomUpdate")
	b.sees("ZoomUpdate.exe")
	b.keys("?")
	b.until("the help", `document.querySelector("#keys").matches(":popover-open")`)
	b.shot("keys")
	b.keys(kb.Escape, "j")
	b.until("the focus on the first line", `document.activeElement.matches("tbody tr:first-child a.open")`)
	if outline := b.eval(`getComputedStyle(document.activeElement).outlineStyle`); outline == "none" {
		b.t.Error("the focus cannot be seen")
	}
	b.keys("x")
	b.until("the selection", `document.querySelector("[data-count]").textContent === "1 selected"`)
	b.keys("a")
	b.sees("You took 1 alert.")
	b.keys("j", kb.Enter)
	b.sees("Why it was flagged")
	b.keys("n")
	b.until("the field of the note", `document.activeElement.id === "note"`)
	b.keys("s", "e", "e", "n", kb.Tab, kb.Enter)
	b.sees("The note was added.")
	b.keys("c")
	b.until("the dialog", `document.querySelector("#closing").matches(":popover-open") && document.activeElement.id === "disposition"`)
	b.shot("closing")
	b.keys(kb.ArrowDown, kb.Tab, "n", "o", kb.Tab, kb.Enter)
	b.sees("1 alert is closed.")
	b.sees("false positive")
	b.keys("u")
	b.sees("By finding")
	events := b.history("ZoomUpdate")
	if want := "started work, took it; note: seen; closed as false positive: no"; events != want {
		b.t.Errorf("history %q, want %q", events, want)
	}
}

func (b *browser) history(text string) string {
	b.t.Helper()
	page, err := b.f.store.Alerts(b.t.Context(), store.Everything, store.Filter{Text: text, Limit: 1})
	if err != nil || len(page.Alerts) != 1 {
		b.t.Fatal(err, len(page.Alerts))
	}
	events, err := b.f.store.History(b.t.Context(), store.Everything, page.Alerts[0].ID)
	var all []string
	for _, e := range events {
		if e.Note != "" {
			e.Action += ": " + e.Note
		}
		all = append(all, e.Action)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return strings.Join(all, "; ")
}

func (b *browser) bulkClose() {
	before := b.count(store.Filter{Statuses: []string{store.StatusNew}})
	teams := b.count(store.Filter{Statuses: []string{store.StatusNew}, Brand: "msteams"})
	b.open("/?brand=msteams")
	b.sees("Fake Microsoft Teams installer")
	b.do(chromedp.Click("[data-every]"), chromedp.Click("[data-key=c]"))
	b.until("the dialog", `document.querySelector("#closing").matches(":popover-open")`)
	b.do(chromedp.SetValue("#disposition", "testing"), chromedp.SendKeys("#closing-note", "our own test"), chromedp.Click("#closing button.main"))
	b.sees(fmt.Sprintf("%d alerts are closed.", teams))
	b.sees("No alert passes this filter.")
	if after := b.count(store.Filter{Statuses: []string{store.StatusNew}}); after != before-teams || teams < 2 {
		b.t.Errorf("%d new alerts, before %d, of Teams %d", after, before, teams)
	}
	if closed := b.count(store.Filter{Disposition: store.Testing}); closed != teams {
		b.t.Errorf("%d closed as testing, want %d", closed, teams)
	}
	b.open("/?brand=webex") // everything that passes the filter, also what no line of the page shows
	webex := b.count(store.Filter{Brand: "webex"})
	b.do(chromedp.Click("[data-whole]"), chromedp.Click("[data-key=a]"))
	b.sees(fmt.Sprintf("You took %d alerts.", webex))
}

func (b *browser) count(f store.Filter) int {
	b.t.Helper()
	n, err := b.f.srv.countAlerts(b.t.Context(), store.Everything, f)
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

func (b *browser) export() {
	dir := b.t.TempDir()
	b.do(cdp.SetDownloadBehavior(cdp.SetDownloadBehaviorBehaviorAllow).WithDownloadPath(dir))
	b.open("/?brand=zoom&status=any")
	want := b.count(store.Filter{Brand: "zoom"})
	b.do(chromedp.Click(`a[href*="format=csv"]`))
	csv := b.file(filepath.Join(dir, "alerts.csv"))
	if n := strings.Count(csv, "\r\n"); n != want+1 || !strings.Contains(csv, "ZoomInstallerFull.exe") || strings.Contains(csv, "Teams") {
		b.t.Errorf("%d lines of CSV, want %d and a heading:\n%.500s", n, want, csv)
	}
	b.do(chromedp.Click(`a[href*="format=jsonl"]`))
	if lines := b.file(filepath.Join(dir, "alerts.jsonl")); strings.Count(lines, "\n") != want {
		b.t.Errorf("%d lines, want %d", strings.Count(lines, "\n"), want)
	}
}

// file waits for a download to be there as a whole.
func (b *browser) file(path string) string {
	b.t.Helper()
	for range 600 {
		if text, err := os.ReadFile(path); err == nil && len(text) > 0 {
			return string(text)
		}
		time.Sleep(50 * time.Millisecond)
	}
	b.t.Fatalf("%s was not downloaded", filepath.Base(path))
	return ""
}

func (b *browser) exception(d *testDevice) {
	page, err := b.f.store.Alerts(b.t.Context(), store.Everything, store.Filter{Rule: specimens[0].rule, Limit: 1})
	if err != nil {
		b.t.Fatal(err)
	}
	a := page.Alerts[0]
	b.open("/alerts/" + a.ID)
	b.keys("e")
	b.sees("2. What it would have hidden")
	b.do(chromedp.Evaluate(`document.querySelector("#sha256").value = ""; document.querySelector("#group").value = ""`, nil),
		chromedp.SendKeys("#source_host", "zoom-us-join.invalid\r")) // Enter shows the preview
	hidden := b.countSince(store.Filter{Host: "zoom-us-join.invalid"})
	b.sees(fmt.Sprintf(": %d alerts", hidden))
	b.shot("exception-preview")
	b.do(chromedp.Click(`button[value=create]`))
	b.sees("Why must tell")
	b.expect("400")
	b.do(chromedp.SendKeys("#why", "our own phishing exercise"), chromedp.Click(`button[value=create]`))
	b.sees("The exception holds from now on.")
	l := specimens[0]
	l.uid = "hidden-1"
	d.want(200, "", "/v1/agent/batch", d.batchAs(b.t, nil, l.record(d.hostname(b.t), b.f.clock())))
	if n := b.count(store.Filter{Statuses: []string{store.StatusSuppressed}}); n != 1 {
		b.t.Errorf("%d suppressed, want 1", n)
	}
	b.open("/exceptions")
	b.do(chromedp.Click(`form[action$="/end"] button`))
	b.sees("The exception has ended.")
}

func (b *browser) countSince(f store.Filter) int {
	f.Since = b.f.clock().Add(-previewPeriod)
	return b.count(f)
}

func (b *browser) report() {
	b.open("/reports")
	b.sees("Alerts of the last 12 weeks")
	b.do(chromedp.Evaluate(`document.querySelectorAll("details").forEach(d => { d.open = true })`, nil))
	week := b.eval(`document.querySelector("tbody tr:last-child td:last-child").textContent`)
	shown := b.eval(`document.querySelector(".tiles b").textContent`)
	if week != shown {
		b.t.Errorf("the last week of the trend has %s alerts, the report %s", week, shown)
	}
	b.shot("report-tables")
	b.open("/reports")
	b.do(emulation.SetEmulatedMedia().WithMedia("print"))
	b.shot("report-print")
	if shown := b.eval(`[...document.querySelectorAll(".top, form, footer")].filter(e => e.getClientRects().length).length`); shown != "0" {
		b.t.Errorf("%s parts of the page that are not for paper are printed", shown)
	}
	b.do(emulation.SetEmulatedMedia().WithMedia("screen"))
}

func (b *browser) logOut() {
	b.open("/")
	b.do(chromedp.Click(`form[action="/logout"] button`))
	b.sees("You are logged out.")
	b.open("/")
	b.sees("Log in")
}
