package main

import (
	"fmt"
	"strings"
	"time"

	"meetguard/internal/alert"
)

// story tells one alert in words: what it is, why, what is known of the file and
// who signed it, where it came from, what ran, what is not known, what was noted
// here, and what to do.
func story(e alert.Entry) string {
	var b strings.Builder
	r, u := e.Record, e.Record.Unmapped
	fmt.Fprintf(&b, "%s\n%s, score %d, %s, on %s\n", r.Message, u.Level, u.Score, when(e), r.Device.Hostname)
	list(&b, "Why", u.Reasons)
	facts(&b, "The file", [][2]string{{"path", u.Path}, {"inside it", u.Inner}, {"format", u.Format}, {"size", sizeOf(r)}, {"SHA-256", u.SHA256},
		{"claims to be", u.Brand}, {"installed by", u.Package}})
	facts(&b, "Who signed it", append([][2]string{{"signature", u.Signature}, {"signed by", u.Signer}, {"Team ID", u.TeamID}}, certificateOf(r)...))
	list(&b, "What the system says of it", u.OSVerdicts)
	facts(&b, "Where it came from", [][2]string{{"downloaded from", u.SourceHost}})
	facts(&b, "What ran", processFacts(r))
	list(&b, "What led to it, in order (UTC)", u.Story)
	list(&b, "What is not known", u.Gaps)
	facts(&b, "For searches", [][2]string{{"rule", u.Rule}, {"techniques", techniques(r)}, {"alert uid", r.Metadata.UID}, {"finding uid", r.FindingInfo.UID},
		{"seen by", strings.Join(r.FindingInfo.DataSources, ", ")}, {"record", fmt.Sprint(u.Seq)}})
	facts(&b, "Noted here", [][2]string{{"state", noted(e.Ack)}, {"note", e.Ack.Note}, {"friend", u.Note}})
	b.WriteString("\nWhat to do\n")
	for _, whom := range strings.SplitAfter(strings.ReplaceAll(r.Remediation.Desc, " Administrator: ", "\nAdministrator: "), "\n") {
		fmt.Fprintf(&b, "  %s\n", strings.TrimSpace(whom))
	}
	return b.String()
}

func list(b *strings.Builder, title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", title)
	for _, line := range lines {
		fmt.Fprintf(b, "  - %s\n", line)
	}
}

// facts prints those that are known under a title, and nothing if none is.
func facts(b *strings.Builder, title string, all [][2]string) {
	told := false
	for _, fact := range all {
		if fact[1] == "" {
			continue
		}
		if !told {
			fmt.Fprintf(b, "\n%s\n", title)
			told = true
		}
		fmt.Fprintf(b, "  %-15s %s\n", fact[0], fact[1])
	}
}

// fileOf is the file of the record, nil if it is about none.
func fileOf(r alert.Record) *alert.File {
	for _, e := range r.Evidences {
		if e.File != nil {
			return e.File
		}
		if e.Process != nil && e.Process.File != nil {
			return e.Process.File
		}
	}
	return nil
}

func sizeOf(r alert.Record) string {
	f := fileOf(r)
	if f == nil || f.Size == 0 {
		return ""
	}
	return fmt.Sprintf("%d bytes", f.Size)
}

func certificateOf(r alert.Record) [][2]string {
	f := fileOf(r)
	if f == nil || f.Signature == nil {
		return nil
	}
	var out [][2]string
	if c := f.Signature.Certificate; c != nil {
		out = append(out, [2]string{"issued by", c.Issuer}, [2]string{"serial number", c.SerialNumber})
	}
	if f.Signature.CreatedTime > 0 {
		out = append(out, [2]string{"signed at", time.UnixMilli(f.Signature.CreatedTime).Format(time.DateTime)})
	}
	return out
}

func processFacts(r alert.Record) [][2]string {
	u := r.Unmapped
	if u.PID == 0 {
		return nil
	}
	out := [][2]string{{"process", fmt.Sprint(u.PID)}, {"by user", u.User}, {"command line", u.CommandLine}}
	for _, e := range r.Evidences {
		if e.Process == nil {
			continue
		}
		out = append(out, [2]string{"in folder", e.Process.WorkingDirectory})
		for _, p := range e.Process.Ancestry {
			name := p.Path
			if name == "" {
				name = p.Name
			}
			if name == "" {
				name = "a process without a name"
			}
			out = append(out, [2]string{"started by", fmt.Sprintf("%s (%d)", name, p.PID)})
		}
		break
	}
	return out
}

// techniques lists the MITRE ATT&CK techniques of the record.
func techniques(r alert.Record) string {
	var out []string
	for _, at := range r.FindingInfo.Attacks {
		for _, n := range []*alert.Named{at.Technique, at.SubTechnique} {
			if n != nil {
				out = append(out, strings.TrimSpace(n.UID+" "+n.Name))
			}
		}
	}
	return strings.Join(out, ", ")
}
