package hostile

// Names, holes and links of this kind are those of Unix.
func (k *kit) shapes()  {}
func (k *kit) special() {}
