package inspect

import (
	"bytes"
	"regexp"
	"strings"
)

// exchange is a formula that has Excel start a program to exchange data with it
// (DDE): =cmd|'/c …'!A1, also behind other signs that begin a formula.
var exchange = regexp.MustCompile(`(?i)[=+@-][^|"\n]{0,40}?([a-z0-9_.\\:/-]+)\|\s*'((?:[^'\n]|'')+)'!`)

// readTable reads a table in text: formulas that start a program, and those that
// send cells to an address.
func readTable(v *Vehicle, _ string, data []byte) {
	v.Kind = VehicleTable
	if bytes.IndexByte(data, '|') < 0 {
		return
	}
	v.exchanges(textOf(data))
}

func (v *Vehicle) exchanges(text string) {
	for _, m := range exchange.FindAllStringSubmatch(text, maxVehicleCommands) {
		program := lastElement(m[1])
		if low := asciiLower(program); low == "msexcel" || strings.HasSuffix(low, "excel") {
			program = lastElement(m[1])
		}
		v.run("bat", program+" "+strings.ReplaceAll(strings.ReplaceAll(m[2], `""`, `"`), "''", "'"))
	}
}

// callsProgram are the functions of Excel 4 macros that start a program.
var callsProgram = regexp.MustCompile(`(?i)\bE?(?:EXEC|SHELL)\("((?:[^"\n]|"")+)"`)

// readSymbolic reads a SYLK table, whose cells may hold macros that run when it
// is opened.
func readSymbolic(v *Vehicle, _ string, data []byte) {
	v.Kind = VehicleTable
	text := textOf(data)
	if !strings.HasPrefix(text, "ID;") {
		return
	}
	for _, m := range callsProgram.FindAllStringSubmatch(text, maxVehicleCommands) {
		v.run("bat", strings.ReplaceAll(m[1], `""`, `"`))
	}
	v.exchanges(text)
}

// readQuery reads a web query: a table that Excel fills from an address. The
// lists of SharePoint are exported so; they are left out.
func readQuery(v *Vehicle, _ string, data []byte) {
	v.Kind = VehicleTable
	lines := strings.Fields(textOf(data[:min(len(data), 8<<10)]))
	if len(lines) < 3 || asciiLower(lines[0]) != "web" {
		return
	}
	for _, place := range lines[1:min(len(lines), 6)] {
		if low := asciiLower(place); strings.HasPrefix(low, "http") && !strings.Contains(low, "_vti_bin") {
			v.has(TraitWebQuery)
			v.leads(hostList(place))
		}
	}
}

// readFlatDocument reads a Word document that is one XML file, the settings of a
// build, or a folder's search.
func readFlatDocument(v *Vehicle, name string, data []byte) {
	head := asciiLower(textOf(data[:min(len(data), textHead)]))
	switch {
	case strings.Contains(head, "progid=\"word.document\"") || strings.Contains(head, "schemas.openxmlformats.org/officedocument") || strings.Contains(head, "office/word/2003"):
		v.Kind = VehicleDocument
		text := textOf(data)
		for _, place := range quotedAfter(text, "attachedTemplate w:val", 4) {
			v.loads(place)
		}
		v.relations(text)
	case strings.Contains(head, "wordprocessingml/2006/main"), strings.Contains(head, "spreadsheetml/2006/main"):
		v.Kind = VehicleDocument
		v.fields(textOf(data))
	case strings.Contains(head, "windows/2004/02/mit/task"):
		v.Kind = VehicleBuild
		text := textOf(data)
		for i, s := range elements(text, "Command", 8) {
			if arguments := elements(text, "Arguments", 8); i < len(arguments) {
				s += " " + arguments[i]
			}
			v.run("bat", s)
		}
	case strings.Contains(head, "developer/msbuild/2003") || strings.HasPrefix(strings.TrimSpace(head), "<project"):
		readBuild(v, name, data)
	}
}

// fieldCommand is a field of Word that starts a program to exchange data with it.
var fieldCommand = regexp.MustCompile(`(?i)\bDDE(?:AUTO)?\s+"?([^"\s]+)"?\s+"([^"]+)"`)

// fields reads the fields of a Word document, whose text may be cut into pieces,
// and the links of a table, that start a program.
func (v *Vehicle) fields(text string) {
	for _, tag := range strings.SplitAfter(text, "<ddeLink")[1:min(strings.Count(text, "<ddeLink")+1, 16)] {
		a := attributes(tag[:indexAnyOr(tag, ">")])
		v.run("bat", unescapeMarkup(a["ddeservice"]+" "+a["ddetopic"]))
	}
	if !strings.Contains(text, "instrText") {
		return
	}
	field := strings.Join(elements(text, "w:instrText", 256), "")
	for _, m := range fieldCommand.FindAllStringSubmatch(field, maxVehicleCommands) {
		v.run("bat", lastElement(strings.ReplaceAll(m[1], `\\`, `\`))+" "+strings.ReplaceAll(m[2], `\\`, `\`))
	}
}

// launches is the action of a PDF that starts a program (ISO 32000-1, 12.6.4.5).
var launches = regexp.MustCompile(`(?s)/Launch\b.*?/F\s*\(((?:[^()\\]|\\.)+)\)(?:[^()]*/P\s*\(((?:[^()\\]|\\.)+)\))?`)

// readPDF reads the programs that a PDF starts, where they do not lie in
// compressed objects.
func readPDF(v *Vehicle, _ string, data []byte) {
	v.Kind = VehicleDocument
	if !hasAny(data, "/Launch") {
		return
	}
	for _, m := range launches.FindAllSubmatch(data, maxVehicleCommands) {
		v.run("bat", strings.NewReplacer(`\(`, "(", `\)`, ")", `\\`, `\`).Replace(lastElement(string(m[1]))+" "+string(m[2])))
	}
}

// loads notes a part of a document that comes from a host.
func (v *Vehicle) loads(place string) {
	if host, _ := remotePlace(place); host != "" {
		v.has(TraitLoadsTemplate)
		v.leads([]string{host})
	}
}

// loadedParts are the kinds of relation that Office follows when a document is
// opened: the last element of their names (ECMA-376 part 1, 12 to 15).
var loadedParts = regexp.MustCompile(`(?i)/(attachedTemplate|oleObject|frame|subDocument|externalLinkPath/xlPathMissing|customUI)$`)

// readRelations reads the relations of a part of an Office document.
func readRelations(v *Vehicle, _ string, data []byte) {
	v.Kind = VehicleDocument
	v.relations(textOf(data))
}

func (v *Vehicle) relations(text string) {
	for _, tag := range strings.Split(text, "<")[:min(strings.Count(text, "<")+1, maxPageTags)] {
		if !startsFold([]byte(tag), "relationship ") {
			continue
		}
		a := attributes(strings.TrimRight(tag, "/> \r\n"))
		if !strings.EqualFold(a["targetmode"], "external") || !loadedParts.MatchString(a["type"]) {
			continue
		}
		target := unescapeMarkup(a["target"])
		if strings.Contains(asciiLower(target), "mhtml:") || strings.Contains(target, "!x-usc:") {
			v.has(TraitLoadsScriptlet)
			v.leads(textHosts(target))
		}
		v.loads(target)
	}
}

// readRichText reads a template or an object that a rich text loads.
func readRichText(v *Vehicle, _ string, data []byte) {
	v.Kind = VehicleDocument
	if !starts(data, `{\rt`) {
		return
	}
	text := string(data)
	for rest := text; len(v.Hosts) < maxHosts; {
		at := strings.Index(rest, `\template`)
		if at < 0 {
			break
		}
		rest = rest[at+len(`\template`):]
		v.loads(strings.TrimSpace(rest[:indexAnyOr(rest, "}")]))
	}
}

// readMacros reads the macros of an Office document (vbaProject.bin): what its
// modules say that run something when it is opened.
func readMacros(v *Vehicle, _ string, data []byte) {
	v.Kind = VehicleMacro
	if !starts(data, cfbMagic) {
		return
	}
	v.macros(macroSources(data))
}

// startsItself are the procedures that Office runs by itself.
var startsItself = regexp.MustCompile(`(?i)\b(auto_?open|auto_?exec|auto_?close|document_(open|close|new)|workbook_(open|activate|beforeclose)|.{1,40}_(layout|painted|mousemove|gotfocus))\b`)

func (v *Vehicle) macros(sources []string) {
	for _, text := range sources {
		if startsItself.MatchString(text) {
			v.run("vbs", strings.ReplaceAll(shellCall.ReplaceAllString(text, `CreateObject("WScript.Shell").Run $2`), " _\r\n", " "))
		}
	}
}

// shellCall is the call of Visual Basic for which Windows Script has an object.
var shellCall = regexp.MustCompile(`(?mi)\b(call\s+|=\s*)?shell[ (]+("(?:[^"\n]|"")*"|[a-z_]\w*)`)

// The signature byte of a compressed container and the header of a chunk
// ([MS-OVBA] 2.4.1.1).
const (
	ovbaSignature = 0x01
	ovbaChunk     = 4096
	maxMacro      = 256 << 10 // bytes of the source of one module
	maxModules    = 32
)

// macroSources finds the modules in a project of macros. Their streams are not
// looked up by the directory: a container begins where its first chunk says
// "Attribut", as the source of every module does; text that lies uncompressed is
// taken as it is.
func macroSources(data []byte) []string {
	var out []string
	for rest := data; len(out) < maxModules; {
		at := bytes.Index(rest, []byte("\x00Attribut"))
		if at < 0 {
			break
		}
		if at >= 3 && rest[at-3] == ovbaSignature { // signature, header of the chunk, flags
			if text := ovbaDecompress(rest[at-3:]); text != "" {
				out = append(out, text)
			}
		}
		rest = rest[at+9:]
	}
	if at := bytes.Index(data, []byte("Sub ")); at >= 0 && len(out) == 0 {
		end := bytes.IndexByte(data[at:], 0)
		if end < 0 {
			end = len(data) - at
		}
		out = append(out, string(data[at:at+min(end, maxMacro)]))
	}
	return out
}

// ovbaDecompress unpacks a compressed container ([MS-OVBA] 2.4.1.3), as far as
// it is sound.
func ovbaDecompress(data []byte) string {
	var out []byte
	for at := 1; at+2 <= len(data) && len(out) < maxMacro; {
		header := int(data[at]) | int(data[at+1])<<8
		end := min(at+3+header&0xfff, len(data))
		if header>>12&7 != 3 {
			break
		}
		chunk := data[at+2 : end]
		if header&0x8000 == 0 {
			out = append(out, chunk[:min(len(chunk), ovbaChunk)]...)
		} else {
			out = ovbaTokens(out, chunk)
		}
		at = end
	}
	return string(out)
}

// ovbaTokens unpacks one chunk: groups of eight tokens behind a byte of flags.
func ovbaTokens(out, chunk []byte) []byte {
	start := len(out)
	for at := 0; at < len(chunk); {
		flags := chunk[at]
		at++
		for bit := 0; bit < 8 && at < len(chunk); bit++ {
			if flags>>bit&1 == 0 {
				out = append(out, chunk[at])
				at++
				continue
			}
			if at+2 > len(chunk) || len(out) == start {
				return out
			}
			length, offset := ovbaCopy(int(chunk[at])|int(chunk[at+1])<<8, len(out)-start)
			at += 2
			if offset > len(out)-start || len(out)-start+length > ovbaChunk {
				return out
			}
			for range length {
				out = append(out, out[len(out)-offset])
			}
		}
	}
	return out
}

// ovbaCopy splits a copy token: how many bits tell the offset depends on how
// much of the chunk is unpacked ([MS-OVBA] 2.4.1.3.19.1).
func ovbaCopy(token, unpacked int) (length, offset int) {
	bits := 4
	for 1<<bits < unpacked {
		bits++
	}
	return token&(1<<(16-bits)-1) + 3, token>>(16-bits) + 1
}
