package watch

import (
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
	"time"

	"meetguard"
)

// The events of the Windows event log that tell of a launch.
const (
	evtAudit  = 4688 // of Microsoft-Windows-Security-Auditing
	evtSysmon = 1    // of Microsoft-Windows-Sysmon
)

// evtEvent is an event as EvtRender prints it. Namespaces are not looked at.
type evtEvent struct {
	System struct {
		Provider struct {
			Name string `xml:"Name,attr"`
		} `xml:"Provider"`
		EventID     int `xml:"EventID"`
		TimeCreated struct {
			SystemTime string `xml:"SystemTime,attr"`
		} `xml:"TimeCreated"`
	} `xml:"System"`
	Data []struct {
		Name string `xml:"Name,attr"`
		Text string `xml:",chardata"`
	} `xml:"EventData>Data"`
}

// parseEventXML reads the launch out of one event. Fields that older versions do
// not have stay empty.
func parseEventXML(text []byte) (meetguard.Process, error) {
	var e evtEvent
	if err := xml.Unmarshal(text, &e); err != nil {
		return meetguard.Process{}, fmt.Errorf("read event: %w", err)
	}
	var p meetguard.Process
	switch {
	case e.System.EventID == evtAudit && e.System.Provider.Name == "Microsoft-Windows-Security-Auditing":
		p = e.audit()
	case e.System.EventID == evtSysmon && e.System.Provider.Name == "Microsoft-Windows-Sysmon":
		p = e.sysmon()
	default:
		return p, fmt.Errorf("read event: number %d is no launch", e.System.EventID)
	}
	if p.PID <= 0 || p.Exe == "" {
		return meetguard.Process{}, fmt.Errorf("read event: number %d names no process", e.System.EventID)
	}
	p.OS, p.Args = "windows", splitCommandLine(p.CommandLine)
	return p, nil
}

// audit reads event 4688. Its ProcessId is the process that made the other one.
// The target is the user of the new process, if that is another one.
func (e *evtEvent) audit() meetguard.Process {
	p := meetguard.Process{PID: e.number("NewProcessId"), PPID: e.number("ProcessId"), Exe: e.text("NewProcessName"),
		CommandLine: e.text("CommandLine"), User: e.account("Target")}
	if p.User == "" {
		p.User = e.account("Subject")
	}
	p.Started, _ = time.Parse(time.RFC3339Nano, e.System.TimeCreated.SystemTime)
	return p
}

// sysmon reads event 1 of Sysmon.
func (e *evtEvent) sysmon() meetguard.Process {
	p := meetguard.Process{PID: e.number("ProcessId"), PPID: e.number("ParentProcessId"), Exe: e.text("Image"),
		CommandLine: e.text("CommandLine"), Cwd: e.text("CurrentDirectory"), User: e.text("User")}
	p.Started, _ = time.Parse("2006-01-02 15:04:05.999", e.text("UtcTime"))
	return p
}

// text is a field, "" if there is none. Windows writes a dash for that.
func (e *evtEvent) text(name string) string {
	for _, d := range e.Data {
		if d.Name == name && d.Text != "-" {
			return strings.Clone(d.Text)
		}
	}
	return ""
}

// number is a field in decimal, or in hexadecimal behind 0x.
func (e *evtEvent) number(name string) int {
	n, err := strconv.ParseUint(strings.TrimSpace(e.text(name)), 0, 32)
	if err != nil {
		return 0
	}
	return int(n)
}

func (e *evtEvent) account(whose string) string {
	name, domain := e.text(whose+"UserName"), e.text(whose+"DomainName")
	if name == "" || domain == "" {
		return name
	}
	return domain + `\` + name
}
