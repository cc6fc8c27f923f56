package unpack

func walkISO(data []byte, opt Options, visit Visit) error { return ErrUnsupported }
