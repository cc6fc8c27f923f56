package sign

import (
	"crypto"
	"runtime"
	"slices"
	"testing"

	"github.com/sassoftware/relic/v8/lib/authenticode"

	"meetguard"
)

// bounded runs a check and demands that it does not crash and allocates less
// than 256 MiB in all, whatever it is given.
func bounded(t *testing.T, check func() []meetguard.Gap) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	gaps := check()
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 256<<20 {
		t.Errorf("allocated %d bytes", used)
	}
	for _, g := range gaps {
		if g.Reason == "the signature parser crashed" {
			t.Error(g.Reason)
		}
	}
}

func FuzzScriptBlock(f *testing.F) {
	ca := newCA(f)
	good := signedPS(f, ca, authenticode.SigStyleHash, []byte(windowsText))
	cms := sealSIP(f, ca, authenticode.SpcUUIDSipInfoPs, make([]byte, 32)).der(f)
	f.Add("a.ps1", good)
	f.Add("a.ps1", signedPS(f, ca, authenticode.SigStyleHash, utf16file(germanText, false)))
	f.Add("a.ps1", append(slices.Clone(good), good...))
	f.Add("a.ps1xml", signedPS(f, ca, authenticode.SigStyleXML, []byte("<x/>\r\n")))
	f.Add("a.vbs", []byte("MsgBox 1"+blockOf(styleVBS, cms)))
	f.Add("a.js", []byte("1"+blockOf(styleJS, cms)))
	f.Add("a.wsf", []byte("<job>"+blockOf(styleWSF, cms)+"</job>"))
	f.Add("a", utf16file("MsgBox 1"+blockOf(styleVBS, cms), true))
	v := newVerifier(f, ca)
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		bounded(t, func() []meetguard.Gap {
			_, gaps := v.VerifyScript(name, data, today)
			return gaps
		})
	})
}

func FuzzMSIX(f *testing.F) {
	ca := newCA(f)
	f.Add(signedMSIX(f, ca, msixFiles(zoomPublisher)))
	f.Add(zipOf(f, msixFiles("CN=x")))
	f.Add(relicFile(f, "packages/App1_1.0.3.0_x64.appx")[260000:]) // its tail, with a 64-bit end
	v := newVerifier(f, ca)
	f.Fuzz(func(t *testing.T, data []byte) {
		bounded(t, func() []meetguard.Gap {
			_, gaps := verify(v, data, meetguard.FormatMSIX)
			return gaps
		})
	})
}

func FuzzCatalog(f *testing.F) {
	ca := newCA(f)
	f.Add(signedCatalog(f, ca, crypto.SHA256, plainPE()))
	f.Add(signedCatalog(f, ca, crypto.SHA1, plainPE()))
	f.Add(relicFile(f, "packages/hyperv.cat"))
	v := newVerifier(f, ca)
	f.Fuzz(func(t *testing.T, data []byte) {
		bounded(t, func() []meetguard.Gap {
			_, list, gaps := v.VerifyCatalog(data, today)
			list.Has(data)
			// The list is read whatever the signature says, so that the
			// fuzzer reaches it without a key.
			if c, err := readCatalog(data); err == nil && c.Len() > len(data) {
				t.Errorf("%d members out of %d bytes", c.Len(), len(data))
			}
			return gaps
		})
	})
}

// FuzzPackage takes its input for a deb, an RPM and an ELF file in turn.
func FuzzPackage(f *testing.F) {
	by := newPGP(f)
	packet := sealPGP(f, by, []byte("x"), false)
	parts := []msixFile{{"debian-binary", []byte("2.0\n")}, {"control.tar.gz", nil}}
	f.Add(debOf(append(slices.Clone(parts), dpkgSig(f, by, parts...))...))
	f.Add(debOf(append(slices.Clone(parts), msixFile{"_gpgorigin", packet})...))
	main := rpmMain()
	f.Add(rpmOf(main, rpmPayload, append(rpmDigests(main), tagged{rpmSigRSA, rpmBytes, packet})...))
	f.Add(relicFile(f, "packages/rocky-basesystem-11-13.el9.noarch.rpm"))
	f.Add(appImageOf(true, msixFile{appImageSignature, sealPGP(f, by, []byte("x"), true)}, msixFile{appImageUpdate, []byte("zsync|https://host.invalid/x")}))
	f.Add(appImageOf(false, msixFile{appImageSignature, packet}))
	v := newVerifier(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, format := range []meetguard.Format{meetguard.FormatDeb, meetguard.FormatRPM, meetguard.FormatELF} {
			bounded(t, func() []meetguard.Gap {
				sig, gaps := verify(v, data, format)
				if sig.Status == meetguard.SignatureValid {
					t.Errorf("%s: valid without a key", format)
				}
				return gaps
			})
		}
		_, _ = readOpenPGP(data)
		_ = updateHost(string(data))
	})
}
