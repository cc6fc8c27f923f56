package inspect

// IsMail tells if data is a mail as programs save it: RFC 5322, .eml.
func IsMail(name string, data []byte) bool { return false }
