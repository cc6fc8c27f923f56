// Package exits brings alerts from the collector to other systems: syslog,
// Splunk, Elastic, any HTTP hook, and OpenTelemetry.
//
// An Exit renders items and sends them. A Pump runs one exit over a Source: at
// least once, in the order of Seq, and the cursor moves on only after the whole
// batch was answered for. Every exit has a pump of its own, so one that is dead
// holds up nobody else. What a receiver refuses for good is counted, logged and
// passed over; it stays in the collector.
//
// What is sent comes from machines that may be taken over. So nothing in an
// item decides where anything is sent, every text is made visible and bounded
// before it is put into a field, and one item is one line on every exit.
// Secrets are read from files, sent, and never logged.
package exits
