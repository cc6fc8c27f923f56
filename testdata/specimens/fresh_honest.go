package specimens

// freshHonest makes honest files that look like lures.
func (b *kit) freshHonest() {}
