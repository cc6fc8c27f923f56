package sign

import (
	"testing"

	"meetguard"
)

// fuzz asks of every input that it gets one of the known answers, and that an
// input without a gap is not unknown: a crash shows as a gap.
func fuzz(f *testing.F, format meetguard.Format, v *Verifier) {
	f.Fuzz(func(t *testing.T, file []byte) {
		sig, gaps := verify(v, file, format)
		if (sig.Status == meetguard.SignatureUnknown) != (len(gaps) == 1) {
			t.Errorf("got %+v with gaps %v", sig, gaps)
		}
		for _, g := range gaps {
			if g.Reason == "the signature parser crashed" {
				t.Error(g.Reason)
			}
		}
	})
}

func FuzzPE(f *testing.F) {
	ca := newCA(f)
	file := plainPE()
	f.Add(file)
	f.Add(signedPE(f, ca))
	s := sealPE(f, ca, file).stamp(f, ca, issued)
	f.Add(withTable(file, entryAt, certEntry(certTypePKCS, s.unsigned(f, oidNested, *s.psd).der(f))))
	fuzz(f, meetguard.FormatPE, newVerifier(f, ca))
}

func FuzzMachO(f *testing.F) {
	ca := newCA(f)
	good := machO(f, code{by: ca, team: "BJ4HAAB9B3", pages: 3})
	f.Add(good)
	f.Add(machO(f, code{flags: csFlagAdhoc, pages: 2}))
	f.Add(fat(good, good))
	f.Add(layered(f, layers{ca, []byte{1, 2}, 2, nil, map[uint32][]byte{csSlotTicket: wrapped(nil)}}))
	fuzz(f, meetguard.FormatMachO, newVerifier(f, ca))
}

func FuzzMSI(f *testing.F) {
	ca := newCA(f)
	f.Add(plainMSI())
	f.Add(signedMSI(f, ca, false))
	f.Add(signedMSI(f, ca, true))
	fuzz(f, meetguard.FormatMSI, newVerifier(f, ca))
}

func FuzzCab(f *testing.F) {
	ca := newCA(f)
	f.Add(signedCab(f, ca))
	fuzz(f, meetguard.FormatCab, newVerifier(f, ca))
}
