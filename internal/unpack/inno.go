package unpack

func walkInno(p *program, opt Options, visit Visit) error { return ErrUnsupported }
