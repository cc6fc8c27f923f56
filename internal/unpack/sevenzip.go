package unpack

func walk7z(data []byte, opt Options, visit Visit) error { return ErrUnsupported }
