package device

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Machine tells machines and their boots apart, so that the collector sees one
// identity on two of them. Both are hashes: nothing of the machine is in them.
// A value that is not known is "".
type Machine struct {
	ID   string // the same as long as the system stays installed; 64 hexadecimal digits
	Boot string // another one after each boot; 64 hexadecimal digits
}

// ThisMachine reads both from the system.
func ThisMachine() Machine {
	id, boot := machineIDs()
	m := Machine{ID: hide("meetguard machine", id)}
	if m.ID != "" && boot != "" {
		m.Boot = hide("meetguard boot", id+"\n"+boot)
	}
	return m
}

// hide makes an id of our own out of the system's, as machine-id(5) asks for.
// Values that images ship with are no ids.
func hide(purpose, id string) string {
	id = strings.ToLower(strings.TrimSpace(id))
	if id == "" || id == "uninitialized" {
		return ""
	}
	mac := hmac.New(sha256.New, []byte(id))
	mac.Write([]byte(purpose))
	return hex.EncodeToString(mac.Sum(nil))
}

// parseIOReg finds the hardware's UUID in what ioreg prints of the platform
// expert:
//
//	"IOPlatformUUID" = "00000000-0000-0000-0000-000000000000"
func parseIOReg(text []byte) string {
	for line := range bytes.Lines(text) {
		name, value, ok := bytes.Cut(line, []byte("="))
		if !ok || !bytes.Contains(name, []byte(`"IOPlatformUUID"`)) {
			continue
		}
		uuid := strings.Trim(string(bytes.TrimSpace(value)), `"`)
		if len(uuid) == 36 && strings.Trim(uuid, "0123456789abcdefABCDEF-") == "" {
			return uuid
		}
	}
	return ""
}
