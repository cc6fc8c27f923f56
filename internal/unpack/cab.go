package unpack

func walkCab(data []byte, opt Options, visit Visit) error { return ErrUnsupported }
