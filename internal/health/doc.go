// Package health judges what is known of the agent's own state: which findings
// follow from it, whether one blinds the agent, and what to do. It is pure:
// observations in, findings out. The observations are made by whoever asks; the
// texts that some of them come from are read here, from bytes.
package health
