package collect

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"meetguard/internal/store"
)

// browser is a real Chromium that looks at a real site over TLS. Whatever the
// pages write to its console, every error of the script and every breach of the
// content policy is kept.
type browser struct {
	t      *testing.T
	f      *fleetSite
	ctx    context.Context
	mu     sync.Mutex
	faults []string
}

// screens is where screenshots are kept.
const screens = "../../build/screens"

func newBrowser(t *testing.T, f *fleetSite) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("chromium is missing: apt-get install -y chromium")
	}
	if err := os.MkdirAll(screens, 0o755); err != nil {
		t.Fatal(err)
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.Flag("headless", "new"), chromedp.NoSandbox,
		chromedp.Flag("ignore-certificate-errors-spki-list", f.keyPin()), chromedp.WindowSize(1280, 860))
	alloc, endAlloc := chromedp.NewExecAllocator(t.Context(), opts...)
	ctx, end := chromedp.NewContext(alloc, chromedp.WithErrorf(func(string, ...any) {})) // events that the library does not know yet
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	t.Cleanup(func() { cancel(); end(); endAlloc() })
	b := &browser{t: t, f: f, ctx: ctx}
	chromedp.ListenTarget(ctx, b.listen)
	b.do(log.Enable(), runtime.Enable(), chromedp.ActionFunc(func(ctx context.Context) error {
		_, err := page.AddScriptToEvaluateOnNewDocument(
			`addEventListener("securitypolicyviolation", e => console.error("policy " + e.violatedDirective + " " + e.blockedURI))`).Do(ctx)
		return err
	}))
	return b
}

// keyPin names the key of the site's certificate, so that the browser takes this
// one certificate and no other that it does not know.
func (f *fleetSite) keyPin() string {
	f.t.Helper()
	conn, err := tls.Dial("tcp", f.addr, &tls.Config{InsecureSkipVerify: true}) // only to read it
	if err != nil {
		f.t.Fatal(err)
	}
	defer conn.Close()
	sum := sha256.Sum256(conn.ConnectionState().PeerCertificates[0].RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(sum[:])
}

func (b *browser) listen(event any) {
	fault := ""
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Level == log.LevelError || e.Entry.Level == log.LevelWarning {
			fault = string(e.Entry.Source) + ": " + e.Entry.Text + " " + e.Entry.URL
		}
	case *runtime.EventExceptionThrown:
		fault = "exception: " + e.ExceptionDetails.Error()
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.APITypeError || e.Type == runtime.APITypeWarning {
			fault = "console: " + string(e.Args[0].Value)
		}
	}
	if fault != "" {
		b.mu.Lock()
		b.faults = append(b.faults, fault)
		b.mu.Unlock()
	}
}

// noFaults holds the page to a clean console.
func (b *browser) noFaults() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, fault := range b.faults {
		b.t.Errorf("the browser complains: %s", fault)
	}
	b.faults = nil
}

// expect takes one complaint of the browser that belongs to the test: it notes
// answers with an error status.
func (b *browser) expect(text string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, fault := range b.faults {
		if strings.Contains(fault, text) {
			b.faults = slices.Delete(b.faults, i, i+1)
			return
		}
	}
	b.t.Errorf("the browser did not complain of %s", text)
}

func (b *browser) do(actions ...chromedp.Action) {
	b.t.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		b.t.Fatalf("browser at %s: %v", b.where(), err)
	}
}

func (b *browser) where() string {
	var at string
	chromedp.Run(b.ctx, chromedp.Location(&at))
	return at
}

func (b *browser) open(path string) {
	b.t.Helper()
	b.do(chromedp.Navigate("https://" + b.f.addr + path))
}

// eval runs a script in the page and returns what it gives, as text.
func (b *browser) eval(script string) string {
	b.t.Helper()
	var v any
	b.do(chromedp.Evaluate(script, &v))
	return fmt.Sprint(v)
}

// until waits for a script to give true, also while the page changes under it.
func (b *browser) until(what, script string) {
	b.t.Helper()
	for range 600 {
		var seen bool
		if chromedp.Run(b.ctx, chromedp.Evaluate(`document.readyState === "complete" && (`+script+`)`, &seen)) == nil && seen {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	b.shot("failed")
	b.t.Fatalf("%s: not seen at %s\n%.2000s", what, b.where(), b.eval(`document.body.innerText`))
}

// sees waits for a text on the page.
func (b *browser) sees(text string) {
	b.t.Helper()
	b.until(fmt.Sprintf("%q", text), fmt.Sprintf(`document.body && document.body.innerText.includes(%q)`, text))
}

// keys presses keys one after the other, as somebody who types does: the page may
// keep a key from writing a letter.
func (b *browser) keys(keys ...string) {
	b.t.Helper()
	for _, k := range keys {
		if known := kb.Keys[[]rune(k)[0]]; known == nil || !known.Print || k < " " {
			b.do(chromedp.KeyEvent(k))
			continue
		}
		b.do(input.DispatchKeyEvent(input.KeyDown).WithKey(k).WithText(k).WithUnmodifiedText(k), input.DispatchKeyEvent(input.KeyUp).WithKey(k))
	}
}

// shot keeps a picture of the whole page.
func (b *browser) shot(name string) {
	b.t.Helper()
	var picture []byte
	b.do(chromedp.FullScreenshot(&picture, 100))
	if err := os.WriteFile(filepath.Join(screens, name+".png"), picture, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// theme chooses light or dark as the system does.
func (b *browser) theme(name string) {
	b.t.Helper()
	b.do(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}))
}

func (b *browser) size(width, height int64, mobile bool) {
	b.t.Helper()
	b.do(emulation.SetDeviceMetricsOverride(width, height, 1, mobile))
}

// login types name and password.
func (b *browser) login(name string) {
	b.t.Helper()
	b.open("/login")
	b.do(chromedp.SendKeys("#name", name), chromedp.SendKeys("#password", testPassword+"\r"))
}

// TestScreens opens every page and holds it to what every page must keep: a clean
// console, nothing wider than the window, names for all controls, text that can be
// read in both themes. Pictures are kept of what people see most.
func TestScreens(t *testing.T) {
	f := newFleetSite(t)
	f.demo(t)
	f.account(t, "admin", "admin")
	b := newBrowser(t, f)
	b.open("/login")
	b.holds("/login", "light")
	b.shot("login-light")
	b.login("admin")
	b.sees("Open")
	for _, p := range f.demoPages(t) {
		for _, theme := range []string{"light", "dark"} {
			b.theme(theme)
			b.open(p.path)
			b.holds(p.path, theme)
			if theme == "light" || p.often {
				b.shot(p.name + "-" + theme)
			}
		}
		b.theme("light")
		b.size(390, 844, true)
		b.open(p.path)
		b.holds(p.path, "phone")
		if p.often {
			b.shot(p.name + "-phone")
		}
		b.size(1280, 860, false)
	}
	b.noFaults()
}

type demoPage struct {
	name, path string
	often      bool
}

func (f *fleetSite) demoPages(t *testing.T) []demoPage {
	t.Helper()
	pages := []demoPage{{"alerts", "/", true}, {"flat", "/?view=alerts&status=any&limit=20", false}, {"fleet", "/fleet", true}, {"rules", "/rules", false},
		{"exceptions", "/exceptions", false}, {"exception", "/exceptions/new?rule=MG-BRAND-UNSIGNED", false}, {"reports", "/reports", true}, {"tokens", "/tokens", false},
		{"people", "/people", false}, {"audit", "/audit", false}, {"settings", "/settings", false}, {"account", "/account", false}, {"deadletters", "/deadletters", false}}
	for _, l := range specimens {
		page, err := f.store.Alerts(t.Context(), store.Everything, store.Filter{Rule: l.rule, Limit: 1})
		if err != nil || len(page.Alerts) == 0 {
			t.Fatal(l.rule, err)
		}
		pages = append(pages, demoPage{"alert-" + strings.ToLower(l.rule), "/alerts/" + page.Alerts[0].ID, l.stole})
		if l.stole {
			pages = append(pages, demoPage{"agent", "/fleet/" + page.Alerts[0].AgentUID, false})
		}
	}
	return pages
}

// holds looks for what no page may have.
func (b *browser) holds(path, theme string) {
	b.t.Helper()
	for what, script := range map[string]string{"too wide": tooWide, "without a name": nameless, "hard to read": hardToRead, "repeated id": repeatedID} {
		if found := b.eval(script); found != "" {
			b.t.Errorf("%s, %s: %s: %s", path, theme, what, found)
		}
	}
}

// What is looked for in a page. Each gives the first things that it finds.
const (
	tooWide = `document.documentElement.scrollWidth > innerWidth + 1 ? "the page is " + document.documentElement.scrollWidth + " wide, the window " + innerWidth : ""`

	nameless = `[...document.querySelectorAll("input:not([type=hidden]), select, textarea, button, a[href], summary")].filter(e =>
		!(e.labels && e.labels.length) && !e.getAttribute("aria-label") && !e.textContent.trim() && !e.getAttribute("aria-hidden")).map(e => e.outerHTML).slice(0, 3).join(" ")`

	repeatedID = `[...document.querySelectorAll("[id]")].map(e => e.id).filter((id, i, all) => all.indexOf(id) !== i).join(" ")`

	// Contrast as in WCAG 2.2, 1.4.3: 4.5, or 3 for large text, between the text and
	// the first ground below it that is not transparent.
	hardToRead = `(() => {
		const parse = c => { const m = c.match(/[\d.]+/g).map(Number); return { r: m[0], g: m[1], b: m[2], a: m.length > 3 ? m[3] : 1 } };
		const part = v => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4 };
		const light = c => 0.2126 * part(c.r) + 0.7152 * part(c.g) + 0.0722 * part(c.b);
		const ground = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.a === 1) return c } return { r: 255, g: 255, b: 255 } };
		const found = [];
		for (const e of document.querySelectorAll("body *")) {
			const own = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
			const style = getComputedStyle(e);
			if (!own && !e.matches("input, select, textarea") || e.getClientRects().length === 0 || style.clipPath !== "none") continue;
			const svg = e instanceof SVGElement;
			const a = light(parse(svg ? style.fill : style.color)), b = light(ground(svg ? e.closest("figure") : e));
			const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
			const size = parseFloat(style.fontSize), large = size >= 24 || size >= 18.66 && Number(style.fontWeight) >= 700;
			if (ratio < (large ? 3 : 4.5)) found.push(e.tagName + "." + (e.getAttribute("class") || "") + " " + ratio.toFixed(2) + " " + e.textContent.trim().slice(0, 30));
		}
		return [...new Set(found)].slice(0, 5).join("; ");
	})()`
)
