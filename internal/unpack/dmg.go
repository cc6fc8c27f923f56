package unpack

func walkDMG(data []byte, opt Options, visit Visit) error { return ErrUnsupported }
