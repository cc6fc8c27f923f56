package unpack

import "io"

func (w *diskWalk) apfs(r *io.SectionReader) error { return ErrUnsupported }
