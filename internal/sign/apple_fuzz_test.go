package sign

import (
	"bytes"
	"runtime"
	"testing"

	"github.com/sassoftware/relic/v8/lib/fruit/csblob"

	"meetguard"
)

// maxFuzzed is what the check of any input of the fuzzer's sizes may allocate.
const maxFuzzed = 256 << 20 // bytes, in all

// sane asks of an answer that it is one of the known ones, that nothing crashed
// and that memory stayed in bounds.
func sane(t *testing.T, check func() (meetguard.Signature, []meetguard.Gap)) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	sig, gaps := check()
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > maxFuzzed {
		t.Errorf("%d bytes allocated", n)
	}
	blind := false
	for _, g := range gaps {
		blind = blind || g.Blinding
		if g.Reason == "the signature parser crashed" {
			t.Error(g.Reason)
		}
	}
	if (sig.Status == meetguard.SignatureUnknown) != blind || sig.Status == "" {
		t.Errorf("got %+v with gaps %v", sig, gaps)
	}
}

func FuzzDMG(f *testing.F) {
	p := developerID(f)
	good := signedDMG(f, p.application(f))
	f.Add(plainDMG())
	f.Add(good)
	f.Add(stapledDMG(f, good, ticketFor(f, p, digestName{2})))
	v := p.verifier(f)
	f.Fuzz(func(t *testing.T, file []byte) {
		sane(t, func() (meetguard.Signature, []meetguard.Gap) { return verify(v, file, meetguard.FormatDMG) })
	})
}

// FuzzPKG takes packages, and tables of contents with a heap behind a zero,
// because no fuzzer finds its way through the compression of a table.
func FuzzPKG(f *testing.F) {
	p := developerID(f)
	good := signedPKG(f, p.installer(f).relic())
	f.Add(plainPKG(f))
	f.Add(good)
	f.Add(with(good, string(trailer(ticketFor(f, p, digestName{2})))))
	old := classicPKG(f, p.relicRSA(f))
	f.Add(old)
	for _, file := range [][]byte{good, old} {
		text, heap := tableOf(f, file)
		f.Add(bytes.Join([][]byte{[]byte(text), heap[:min(len(heap), 9000)]}, []byte{0}))
	}
	v := p.verifier(f)
	f.Fuzz(func(t *testing.T, file []byte) {
		if !bytes.HasPrefix(file, []byte(xarMagic)) {
			text, heap, _ := bytes.Cut(file, []byte{0})
			file = packXAR(t, string(text), bytes.Clone(heap))
		}
		sane(t, func() (meetguard.Signature, []meetguard.Gap) { return verify(v, file, meetguard.FormatPKG) })
	})
}

// FuzzApp takes the parts of a bundle. The list of resources is tried once as a
// part of the bundle and once as if it were the signed one.
func FuzzApp(f *testing.F) {
	p := developerID(f)
	_, arm := realSlices(f)
	seal := appSeal(present)
	exe := resign(f, arm, p.application(f), func(s *csblob.SignatureParams) { s.InfoPlist, s.Resources = []byte(appPlist), []byte(seal) })
	f.Add(exe, []byte(appPlist), []byte(seal), ticketFor(f, p, namesIn(f, exe)...), "Resources/zoom.icns")
	small := machO(f, code{flags: csFlagAdhoc, pages: 2})
	f.Add(small, []byte(nil), []byte(`<plist><dict><key>files</key><dict><key>a</key><data>AA==</data></dict></dict></plist>`), []byte("s8ch"), "a")
	v := p.verifier(f)
	f.Fuzz(func(t *testing.T, exe, plist, seal, ticket []byte, name string) {
		b := Bundle{Executable: bytes.NewReader(exe), Size: int64(len(exe)), Program: "MacOS/zoom.us", InfoPlist: plist, Resources: seal, Ticket: ticket,
			Files: []BundleFile{regular(name, "icon"), {Path: name + "/link", Link: "icon"}}, All: true}
		sane(t, func() (meetguard.Signature, []meetguard.Gap) { return v.VerifyApp(b, today) })
		sane(t, func() (meetguard.Signature, []meetguard.Gap) {
			sig := meetguard.Signature{Status: meetguard.SignatureValid}
			return sig, b.checkResources(&sig)
		})
	})
}
