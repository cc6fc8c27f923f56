package unpack

func unpackLZFSE(packed []byte, size int) ([]byte, error) { return nil, ErrUnsupported }
func unpackLZVN(packed []byte, size int) ([]byte, error)  { return nil, ErrUnsupported }
