package unpack

func walkPE(data []byte, opt Options, visit Visit) error { return ErrUnsupported }
