package inspect

import (
	"strings"

	"meetguard"
)

// msixClaims reads the names in the manifest of a MSIX package or bundle
// (AppxManifest.xml and AppxBundleManifest.xml). A display name that refers to
// the resources of the package is no name.
func msixClaims(data []byte, c *collector) error {
	for e := range zipEntries(data) {
		if !isManifest(e.name) {
			continue
		}
		manifest, err := zipRead(data, e)
		if err != nil {
			return err
		}
		return c.walkXML(manifest, func(e element) {
			switch {
			case e.is("Package", "Identity"), e.is("Bundle", "Identity"):
				c.claim(meetguard.ClaimMSIXName, e.attr("Name"))
			case e.is("Package", "Properties", "DisplayName"), e.is("Package", "Properties", "PublisherDisplayName"):
				c.displayName(string(e.text))
			case len(e.path) == 4 && e.path[1] == "Applications" && e.path[3] == "VisualElements":
				c.displayName(e.attr("DisplayName"))
			}
		})
	}
	return malformed("manifest is missing")
}

func (c *collector) displayName(text string) {
	if !strings.HasPrefix(text, "ms-resource:") {
		c.claim(meetguard.ClaimMSIXDisplay, text)
	}
}
