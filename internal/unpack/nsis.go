package unpack

func (p *program) nsisHeader() []byte                     { return nil }
func walkNSIS(p *program, opt Options, visit Visit) error { return ErrUnsupported }
func walkInno(p *program, opt Options, visit Visit) error { return ErrUnsupported }
