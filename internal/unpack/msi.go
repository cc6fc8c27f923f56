package unpack

func walkMSI(data []byte, opt Options, visit Visit) error { return ErrUnsupported }
