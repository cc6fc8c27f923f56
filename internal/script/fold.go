package script

func (a *analysis) folded(d *dialect, toks []token) []token { return toks }
