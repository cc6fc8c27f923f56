package people

import (
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
)

func TestQRCode(t *testing.T) {
	svg, err := QRCode("otpauth://totp/MeetGuard:ana?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=MeetGuard&algorithm=SHA1&digits=6&period=30", `a "label" <x>`)
	if err != nil {
		t.Fatal(err)
	}
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	// The finder pattern of the upper left corner: seven dark, one and five light.
	for _, part := range []string{"M4 4h7v1h-7z", "M4 5h1v1h-1zM10 5h1v1h-1z", "M4 10h7v1h-7z"} {
		if !strings.Contains(svg, part) {
			t.Errorf("no %s in the path", part)
		}
	}
	if strings.Contains(svg, "GEZD") || strings.Contains(svg, "<x>") {
		t.Error("text stands in the picture")
	}
	if _, err := QRCode(strings.Repeat("x", 5000), ""); err == nil {
		t.Error("a text that does not fit was drawn")
	}
	if p := os.Getenv("QR_OUT"); p != "" {
		os.WriteFile(p, fmt.Append(nil, svg), 0o600)
	}
}
