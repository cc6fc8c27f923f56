package unpack

func (d *disc) walkUDF() (bool, error) { return false, nil }
