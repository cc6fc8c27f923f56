package sign

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"io/fs"
	"strings"
	"testing"
)

// pinned is every anchor with the SHA-256 of its DER form. A change here is a
// change of whom the product believes; roots/README.md tells where each one
// comes from.
var pinned = map[string]string{
	"apple/apple-root-ca.pem":                                 "b0b1730ecbc7ff4505142c49f1295e6eda6bcaed7e2c68c5be91b5a11001f024",
	"code/certum-trusted-network-ca-2.pem":                    "b676f2eddae8775cd36cb0f63cd1d4603961f49e6265ba013a2f0307b6d0b804",
	"code/certum-trusted-network-ca.pem":                      "5c58468d55f58e497e743982d2b50010b6d165374acf83a7d4a32db768c4408e",
	"code/certum-trusted-root-ca.pem":                         "fe7696573855773e37a95e7ad4d9cc96c30157c15d31765ba9b15704e1ae78fd",
	"code/comodo-aaa-services-root.pem":                       "d7a7a0fb5d7e2731d771e9484ebcdef71d5f0c3e0a2948782bc83ee0ea699ef4",
	"code/comodo-rsa-certification-authority.pem":             "52f0e1c4e58ec629291b60317f074671b85d7ea80d5b07273463534b32b40234",
	"code/digicert-assured-id-root-ca.pem":                    "3e9099b5015e8f486c00bcea9d111ee721faba355a89bcf1df69561e3dc6325c",
	"code/digicert-global-root-g2.pem":                        "cb3ccbb76031e5e0138f8dd39a23f9de47ffc35e43c1144cea27d46a5ab1cb5f",
	"code/digicert-global-root-g3.pem":                        "31ad6648f8104138c738f39ea4320133393e3a18cc02296ef97c2ac9ef6731d0",
	"code/digicert-high-assurance-ev-root-ca.pem":             "7431e5f4c3c1ce4690774f0b61e05440883ba9a01ed00ba6abd7806ed3b118cf",
	"code/digicert-trusted-root-g4.pem":                       "552f7bdcf1a7af9e6ce672017f4f12abf77240c78e761ac203d1d9d20ac89988",
	"code/entrust-root-certification-authority-g2.pem":        "43df5774b03e7fef5fe40d931a7bedf1bb2e6b42738c4e6d3841103d3aa7f339",
	"code/globalsign-root-ca-r3.pem":                          "cbb522d7b7f127ad6a0113865bdf1cd4102e7d0759af635a7cf4720dc963c53b",
	"code/globalsign-root-ca-r6.pem":                          "2cabeafe37d06ca22aba7391c0033d25982952c453647349763a3ab5ad6ccf69",
	"code/go-daddy-root-certificate-authority-g2.pem":         "45140b3247eb9cc8c5b4f0d7b53091f73292089e6e5a63e2749dd3aca9198eda",
	"code/identrust-commercial-root-ca-1.pem":                 "5d56499be4d2e08bcfcad08a3e38723d50503bde706948e42f55603019e528ae",
	"code/microsoft-code-signing-pca-2011.pem":                "56da8722afd94066ffe1e4595473a4854892b843a0827d53fb7d8f4aeed1e18b",
	"code/microsoft-code-signing-pca-2024.pem":                "3dadfaf812dd1bbaef45834ccbd188f3cd97139e2ed1aca69c2dd63082142f8f",
	"code/microsoft-identity-verification-root-2020.pem":      "5367f20c7ade0e2bca790915056d086b720c33c1fa2a2661acf787e3292e1270",
	"code/ssl-com-ev-root-certification-authority-ecc.pem":    "22a2c1f7bded704cc1e701b5f408c310880fe956b5de2a4a44f99c873a25a7c8",
	"code/ssl-com-ev-root-certification-authority-rsa-r2.pem": "2e7bf16cc22485a7bbe2aa8696750761b0ae39be3b2fe9d0cc6d4ef73491425c",
	"code/ssl-com-root-certification-authority-ecc.pem":       "3417bb06cc6007da1b961c920b8ab4ce3fad820e4aa30b9acbc4a74ebdcebc65",
	"code/ssl-com-root-certification-authority-rsa.pem":       "85666a562ee0be5ce925c1d8890a6f76a87ec16d4d7d5f29ea7419cf20123b69",
	"code/starfield-root-certificate-authority-g2.pem":        "2ce1cb0bf9d2f9e102993fbe215152c3b2dd0cabde1c68e5319b839154dbb7f5",
	"code/usertrust-ecc-certification-authority.pem":          "4ff460d54b9c86dabfbcfc5712e0400d2bed3fbc4d4fbdaa86e06adcd2a9ad7a",
	"code/usertrust-rsa-certification-authority.pem":          "e793c9b02fd8aa13e21c31228accb08119643b749c898964b1746d46c3d4cbd2",
	"timestamp/certum-trusted-network-ca-2.pem":               "b676f2eddae8775cd36cb0f63cd1d4603961f49e6265ba013a2f0307b6d0b804",
	"timestamp/certum-trusted-network-ca.pem":                 "5c58468d55f58e497e743982d2b50010b6d165374acf83a7d4a32db768c4408e",
	"timestamp/comodo-aaa-services-root.pem":                  "d7a7a0fb5d7e2731d771e9484ebcdef71d5f0c3e0a2948782bc83ee0ea699ef4",
	"timestamp/digicert-assured-id-root-ca.pem":               "3e9099b5015e8f486c00bcea9d111ee721faba355a89bcf1df69561e3dc6325c",
	"timestamp/digicert-trusted-root-g4.pem":                  "552f7bdcf1a7af9e6ce672017f4f12abf77240c78e761ac203d1d9d20ac89988",
	"timestamp/entrust-root-certification-authority-g2.pem":   "43df5774b03e7fef5fe40d931a7bedf1bb2e6b42738c4e6d3841103d3aa7f339",
	"timestamp/globalsign-root-ca-r3.pem":                     "cbb522d7b7f127ad6a0113865bdf1cd4102e7d0759af635a7cf4720dc963c53b",
	"timestamp/globalsign-root-ca-r6.pem":                     "2cabeafe37d06ca22aba7391c0033d25982952c453647349763a3ab5ad6ccf69",
	"timestamp/go-daddy-root-certificate-authority-g2.pem":    "45140b3247eb9cc8c5b4f0d7b53091f73292089e6e5a63e2749dd3aca9198eda",
	"timestamp/identrust-commercial-root-ca-1.pem":            "5d56499be4d2e08bcfcad08a3e38723d50503bde706948e42f55603019e528ae",
	"timestamp/microsoft-public-rsa-timestamping-ca-2020.pem": "36e731cfa9bfd69dafb643809f6dec500902f7197daeaad86ea0159a2268a2b8",
	"timestamp/microsoft-time-stamp-pca-2010.pem":             "ebec1edd9e140d9c105cc62b15a915c5443ddc514a35e5773c09afb0274c7ba5",
	"timestamp/ssl-com-root-certification-authority-rsa.pem":  "85666a562ee0be5ce925c1d8890a6f76a87ec16d4d7d5f29ea7419cf20123b69",
	"timestamp/starfield-root-certificate-authority-g2.pem":   "2ce1cb0bf9d2f9e102993fbe215152c3b2dd0cabde1c68e5319b839154dbb7f5",
	"timestamp/usertrust-rsa-certification-authority.pem":     "e793c9b02fd8aa13e21c31228accb08119643b749c898964b1746d46c3d4cbd2",
}

func TestPinnedAnchors(t *testing.T) {
	seen := 0
	err := fs.WalkDir(rootFiles, "roots", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		seen++
		name := strings.TrimPrefix(path, "roots/")
		text, err := rootFiles.ReadFile(path)
		if err != nil {
			return err
		}
		certs, err := parsePEM(text)
		if err != nil || len(certs) != 1 {
			t.Errorf("%s: want one certificate, got %d, %v", name, len(certs), err)
			return nil
		}
		sum := sha256.Sum256(certs[0].Raw)
		if got := hex.EncodeToString(sum[:]); got != pinned[name] {
			t.Errorf("%s: fingerprint %s is not the pinned one", name, got)
		}
		if !certs[0].IsCA {
			t.Errorf("%s is no certificate of an authority", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen != len(pinned) {
		t.Errorf("found %d anchors, %d are pinned", seen, len(pinned))
	}
}

// A timestamp authority must not vouch for publishers.
func TestTimestampOnlyAnchorsAreApart(t *testing.T) {
	code, err := load("roots/code")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range code {
		for _, u := range c.ExtKeyUsage {
			if u == x509.ExtKeyUsageTimeStamping {
				t.Errorf("%s is for time stamps and pinned for code", c.Subject.CommonName)
			}
		}
	}
}

func TestAddAnchorsRefusesText(t *testing.T) {
	v := newVerifier(t)
	for _, text := range []string{"", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"} {
		if err := v.AddAnchors([]byte(text)); err == nil {
			t.Errorf("AddAnchors(%q) took it", text)
		}
	}
}
