package specimens

// fresh makes lures of stories and techniques that the rules were not written
// against.
func (b *kit) fresh() {}

// freshHonest makes honest files that look like lures.
func (b *kit) freshHonest() {}
