package unpack

func walkRar(data []byte, opt Options, visit Visit) error { return ErrUnsupported }
