package detect

import "strings"

// families names the reports that a rule was made from: those of the families
// of docs/detections.md ("A1", or "A" for the whole cluster), comma separated.
// A rule that is not here follows from what the product is for, or from how
// files are built, and from no report.
//
// A rule names every family whose report had a part in it, first the one that
// it was written on, also where it could have been written from first principles.
// The evaluation leaves a family out by switching off its rules, and sees what
// the others still find of it.
var families = map[string]string{
	"MG-BRAND-SHORT-CERT":   "D,F",
	"MG-BRAND-FRESH-CERT":   "D,F",
	"MG-BRAND-NEVER-NATIVE": "C",
	"MG-SIGNATURE-ABUSED":   "D,E,F",
	"MG-NAME-DOUBLE-EXT":    "A3",
	"MG-ORIGIN-LOOKALIKE":   "A,C,D",

	"MG-SCRIPT-PADDED":       "A1,A2,A4,A6",
	"MG-SCRIPT-PADDED-LINE":  "A1,A4",
	"MG-SCRIPT-SPELLED":      "A2,A3",
	"MG-SCRIPT-APPLE-CRADLE": "A1,A3,A5,A6",
	"MG-SCRIPT-WSH-CRADLE":   "B,G",
	"MG-SCRIPT-BRAND-CRADLE": "A,C",
	"MG-SCRIPT-BRAND-DROP":   "D,E,G",
	"MG-SCRIPT-BRAND-SCPT":   "A",
	"MG-SCRIPT-PRETEXT":      "A,B,C",
	"MG-SCRIPT-PRESS-RUN":    "A1,A2,A3",
	"MG-SCRIPT-LOOKALIKE":    "A,C,D",
	"MG-SCRIPT-INSECURE":     "A2,B",
	"MG-SCRIPT-TEMP-EXEC":    "A2,B",
	"MG-SCRIPT-RUN-RESULT":   "A1,A4",
	"MG-SCRIPT-DECOY":        "A1,A2,D,E,G",
	"MG-SCRIPT-DEQUARANTINE": "C,F",
	"MG-SCRIPT-PASSWORD":     "A1,A7,B,F",
	"MG-SCRIPT-DEFENDER":     "E,G",
	"MG-SCRIPT-THEFT":        "A1,A4,A7,B,F",
	"MG-SCRIPT-THEFT-MANY":   "A1,A4,A7,B,F",
	"MG-SCRIPT-PERSIST-FAKE": "A1,A4,A8,B",
	"MG-SCRIPT-ODD-AGENT":    "A1,A5",
	"MG-SCRIPT-COMPUTED":     "A3",
	"MG-LINK-LOOKALIKE":      "A,C",

	"MG-PROC-SCRIPT-EDITOR":  "A",
	"MG-PROC-RUN-BOX":        "A7,A8,C",
	"MG-PROC-PASTED":         "A8,B,C",
	"MG-PROC-SHAPE":          "A,F",
	"MG-PROC-FETCH-BRAND":    "A,B",
	"MG-PROC-PASSWORD-CHECK": "A1",
	"MG-PROC-FETCH-DROP":     "B",
	"MG-PROC-SECRET":         "A1,A4,A7,B,F",
	"MG-PROC-SECRET-MANY":    "A1,A4,A7,B,F",
	"MG-PROC-SECRET-SENT":    "A1,A4,A7,B,F",
	"MG-PROC-SYSTEM-NAME":    "A1,A8",
	"MG-PROC-BRAND-CHILD":    "D,E,G",
	"MG-PROC-BLIND":          "E,G",
}

// Families splits a list of families, as the metadata of a YARA rule has it. It
// is nil for a rule that was made from no report.
func Families(list string) []string {
	if list == "" || list == "generic" {
		return nil
	}
	return strings.Split(list, ",")
}

// Without gives a judge for which the rules of those ids do not exist, be they
// of the table or in YARA.
func (j *Judge) Without(ids []string) *Judge {
	less := *j
	less.off = make(map[string]bool, len(ids)+len(j.off))
	for id := range j.off {
		less.off[id] = true
	}
	for _, id := range ids {
		less.off[id] = true
	}
	return &less
}
