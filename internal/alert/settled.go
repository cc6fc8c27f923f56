package alert

// Settled returns the number of the newest line of the log in the state folder
// dir that, with all before it, the collector has acknowledged or that was
// dropped; 0 if nothing was settled yet. It may be called beside the agent.
func Settled(dir string) (uint64, error) {
	root, err := openState(dir)
	if err != nil {
		return 0, err
	}
	defer root.Close()
	cur, err := loadCursor(root)
	return cur.Seq, err
}
