package alert

import (
	"meetguard"
)

// evidencesOf returns what the alert stands on: the file or the launch first,
// then the member of the container that the strongest finding is about.
func evidencesOf(a meetguard.Alert) []Evidence {
	var e Evidence
	p := processOf(a)
	e.File = fileOf(a.Facts, pathOf(a))
	if p != nil {
		e.Process = launchOf(p)
		if p.User != "" {
			e.User = &User{safe(p.User, maxName)}
		}
	}
	if host := safe(a.Facts.Origin.Host, maxName); host != "" {
		e.URL = &URL{URLString: host, Hostname: host}
	}
	out := []Evidence{e}
	if inner := innerFile(a); inner != nil {
		out = append(out, Evidence{Name: "member of the container", File: inner})
	}
	return out
}

// innerFile describes the member that the verdict names, with its hash if the
// member is among the facts.
func innerFile(a meetguard.Alert) *File {
	if a.Verdict.Inner == "" {
		return nil
	}
	member := meetguard.Facts{Signature: meetguard.Signature{Status: meetguard.SignatureUnknown}}
	for _, m := range a.Facts.Members {
		if m.Path == a.Verdict.Inner {
			member = m
		}
	}
	return fileOf(member, a.Verdict.Inner)
}

// OCSF file types.
const (
	regularFile = 1
	folder      = 2
)

func fileOf(f meetguard.Facts, path string) *File {
	file := &File{
		Name:        safe(base(path), maxName),
		Path:        safe(path, maxPath),
		TypeID:      regularFile,
		Size:        f.Size,
		CompanyName: companyOf(f.Claims),
		Signature:   signatureOf(f.Signature),
	}
	if f.Format == meetguard.FormatApp {
		file.TypeID = folder
	}
	if file.Name == "" {
		file.Name = "unknown"
	}
	if f.SHA256 != "" {
		file.Hashes = []Fingerprint{{AlgorithmID: 3, Algorithm: "SHA-256", Value: safe(f.SHA256, maxName)}}
	}
	return file
}

func companyOf(claims []meetguard.Claim) string {
	for _, c := range claims {
		if c.Source == meetguard.ClaimCompanyName || c.Source == meetguard.ClaimMSIMaker {
			return safe(c.Text, maxName)
		}
	}
	return ""
}

// signatureOf describes a signature that is there. An unsigned file has none,
// and of one that could not be read nothing is said here: mg_signature tells the
// two apart.
func signatureOf(s meetguard.Signature) *Signature {
	state, ok := signatureStates[s.Status]
	if !ok {
		return nil
	}
	switch s.Chain {
	case "expired":
		state = grade{2, "Expired"}
	case "revoked":
		state = grade{3, "Revoked"}
	case "wrong_usage":
		state = grade{8, "WrongUsage"}
	}
	out := &Signature{
		StateID: state.id, State: state.name,
		DeveloperUID: safe(s.TeamID, maxName),
		CreatedTime:  millis(s.SignedAt),
	}
	if s.Issuer != "" && s.Serial != "" {
		out.Certificate = &Certificate{Subject: safe(s.Subject, maxName), Issuer: safe(s.Issuer, maxName), SerialNumber: safe(s.Serial, maxName)}
	}
	return out
}

// signatureStates gives the state_id of the OCSF object digital_signature. An
// ad-hoc signature is in order as far as it goes but names nobody, which is what
// Untrusted says.
var signatureStates = map[meetguard.SignatureStatus]grade{
	meetguard.SignatureValid:     {1, "Valid"},
	meetguard.SignatureUntrusted: {6, "Untrusted"},
	meetguard.SignatureAdhoc:     {6, "Untrusted"},
	meetguard.SignatureInvalid:   {9, "Bad"},
}

func launchOf(p *meetguard.Process) *Process {
	out := &Process{
		PID:              p.PID,
		Name:             safe(base(p.Exe), maxName),
		CmdLine:          safeCommand(p),
		WorkingDirectory: safe(p.Cwd, maxText),
		CreatedTime:      millis(p.Started),
	}
	if p.Exe != "" {
		out.File = &File{Name: out.Name, Path: safe(p.Exe, maxText), TypeID: regularFile}
	}
	if p.User != "" {
		out.User = &User{safe(p.User, maxName)}
	}
	for _, up := range first(p.Ancestors) {
		out.Ancestry = append(out.Ancestry, Ancestor{PID: up.PID, Name: safe(base(up.Exe), maxName), Path: safe(up.Exe, maxText)})
	}
	return out
}

// OCSF observable types.
const (
	observeHostname = 1
	observeUser     = 4
	observeFileName = 7
	observeHash     = 8
	observeProcess  = 9
)

// observablesOf lists the values of the evidence that are worth a search.
func observablesOf(evidences []Evidence) []Observable {
	var out []Observable
	add := func(i int, where string, id int, kind, value string) {
		if value != "" {
			out = append(out, Observable{index("evidences", i, where), id, kind, value})
		}
	}
	for i, e := range evidences {
		if e.File != nil {
			add(i, "file.name", observeFileName, "File Name", e.File.Name)
			for j, h := range e.File.Hashes {
				add(i, index("file.hashes", j, "value"), observeHash, "Hash", h.Value)
			}
		}
		if e.URL != nil {
			add(i, "url.hostname", observeHostname, "Hostname", e.URL.Hostname)
		}
		if e.Process != nil {
			add(i, "process.name", observeProcess, "Process Name", e.Process.Name)
		}
		if e.User != nil {
			add(i, "user.name", observeUser, "User Name", e.User.Name)
		}
	}
	return out
}
