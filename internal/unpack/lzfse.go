package unpack

func unpackLZFSE(packed []byte, size int) ([]byte, error) { return nil, ErrUnsupported }
