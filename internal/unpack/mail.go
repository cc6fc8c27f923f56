package unpack

// WalkMail visits the attachments of a mail (RFC 5322, MIME).
func WalkMail(data []byte, opt Options, visit Visit) error { return ErrUnsupported }
