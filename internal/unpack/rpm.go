package unpack

func walkRPM(data []byte, opt Options, visit Visit) error { return ErrUnsupported }
