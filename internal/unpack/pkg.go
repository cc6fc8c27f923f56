package unpack

func walkPKG(data []byte, opt Options, visit Visit) error { return ErrUnsupported }
