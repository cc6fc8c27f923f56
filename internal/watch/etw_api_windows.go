package watch

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// The structures and functions of evntrace.h and evntcons.h that a session in
// real time needs, for machines of 64 bits.
const (
	traceRealTime   = 0x100      // EVENT_TRACE_REAL_TIME_MODE
	traceMillis     = 0x10       // EVENT_TRACE_USE_MS_FLUSH_TIMER: FlushTimer counts milliseconds, since Windows 7
	tracedGUID      = 0x20000    // WNODE_FLAG_TRACED_GUID
	processRecords  = 0x10000000 // PROCESS_TRACE_MODE_EVENT_RECORD
	processRealTime = 0x100      // PROCESS_TRACE_MODE_REAL_TIME
	clockQPC        = 1
	controlQuery    = 0 // EVENT_TRACE_CONTROL_QUERY
	controlStop     = 1 // EVENT_TRACE_CONTROL_STOP
	noTrace         = ^uint64(0)
)

// etwProperties is EVENT_TRACE_PROPERTIES with room for the name behind it.
type etwProperties struct {
	Node struct { // WNODE_HEADER
		Size       uint32
		ProviderID uint32
		History    uint64
		TimeStamp  int64
		GUID       windows.GUID
		Clock      uint32
		Flags      uint32
	}
	BufferSize          uint32 // KiB
	MinimumBuffers      uint32
	MaximumBuffers      uint32
	MaximumFileSize     uint32
	LogFileMode         uint32
	FlushTimer          uint32
	EnableFlags         uint32
	AgeLimit            int32
	NumberOfBuffers     uint32
	FreeBuffers         uint32
	EventsLost          uint32
	BuffersWritten      uint32
	LogBuffersLost      uint32
	RealTimeBuffersLost uint32
	LoggerThread        windows.Handle
	LogFileNameOffset   uint32
	LoggerNameOffset    uint32

	Name [1024]uint16
}

func newETWProperties() *etwProperties {
	p := &etwProperties{BufferSize: etwBufferKiB, MinimumBuffers: etwBuffers / 4, MaximumBuffers: etwBuffers,
		LogFileMode: traceRealTime | traceMillis, FlushTimer: etwFlush}
	p.Node.Size, p.Node.Clock, p.Node.Flags = uint32(unsafe.Sizeof(*p)), clockQPC, tracedGUID
	p.LoggerNameOffset = uint32(unsafe.Offsetof(p.Name))
	return p
}

// etwRecord is EVENT_RECORD.
type etwRecord struct {
	Header struct { // EVENT_HEADER
		Size, Type, Flags, Property uint16
		Thread, Process             uint32
		Time                        int64
		Provider                    windows.GUID
		ID                          uint16
		Version, Channel            uint8
		Level, Opcode               uint8
		Task                        uint16
		Keyword                     uint64
		CPU                         uint64
		Activity                    windows.GUID
	}
	Context      uint32
	ExtendedSize uint16
	DataSize     uint16
	Extended     unsafe.Pointer
	Data         unsafe.Pointer
	User         unsafe.Pointer
}

// etwLogfile is EVENT_TRACE_LOGFILEW.
type etwLogfile struct {
	File, Logger *uint16
	CurrentTime  int64
	BuffersRead  uint32
	Mode         uint32
	CurrentEvent [88]byte  // EVENT_TRACE
	Header       [35]int64 // TRACE_LOGFILE_HEADER, 280 bytes
	OnBuffer     uintptr
	BufferSize   uint32
	Filled       uint32
	EventsLost   uint32
	OnEvent      uintptr
	Kernel       uint32
	Context      uintptr
}

// api finds a function of the system. The libraries are loaded from the
// system's own folder only.
func api(library, name string) *windows.LazyProc {
	return windows.NewLazySystemDLL(library).NewProc(name)
}

// call calls a function that returns an error number.
func call(name string, args ...uintptr) error {
	proc := api("advapi32.dll", name)
	if err := proc.Find(); err != nil {
		return err
	}
	if code, _, _ := proc.Call(args...); code != 0 {
		return windows.Errno(code)
	}
	return nil
}

func startTrace(session *uint64, name string) error {
	words, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return err
	}
	return call("StartTraceW", uintptr(unsafe.Pointer(session)), uintptr(unsafe.Pointer(words)), uintptr(unsafe.Pointer(newETWProperties())))
}

// controlTrace takes a session by number, or by name if that is 0.
func controlTrace(session uint64, name string, what uintptr, p *etwProperties) error {
	var words *uint16
	if session == 0 {
		var err error
		if words, err = windows.UTF16PtrFromString(name); err != nil {
			return err
		}
	}
	return call("ControlTraceW", uintptr(session), uintptr(unsafe.Pointer(words)), uintptr(unsafe.Pointer(p)), what)
}

func enableTrace(session uint64, provider *windows.GUID, code, level uintptr, keywords uint64) error {
	return call("EnableTraceEx2", uintptr(session), uintptr(unsafe.Pointer(provider)), code, level, uintptr(keywords), 0, 0, 0)
}

func openTrace(name string, event, buffer uintptr) (uint64, error) {
	words, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return 0, err
	}
	proc := api("advapi32.dll", "OpenTraceW")
	if err := proc.Find(); err != nil {
		return 0, err
	}
	f := &etwLogfile{Logger: words, Mode: processRealTime | processRecords, OnBuffer: buffer, OnEvent: event}
	trace, _, err := proc.Call(uintptr(unsafe.Pointer(f)))
	if uint64(trace) == noTrace {
		return 0, err
	}
	return uint64(trace), nil
}

// processTrace returns when the session has ended.
func processTrace(trace uint64) error {
	return call("ProcessTrace", uintptr(unsafe.Pointer(&trace)), 1, 0, 0)
}

func closeTrace(trace uint64) { _ = call("CloseTrace", uintptr(trace)) }
