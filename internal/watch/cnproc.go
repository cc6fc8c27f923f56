package watch

import "encoding/binary"

// The messages of the proc connector, from the kernel's headers netlink.h,
// connector.h and cn_proc.h: a netlink header of 16 bytes, a connector header
// of 20, then struct proc_event. All numbers are in the machine's byte order.
const (
	netlinkHeader   = 16
	connectorHeader = 20
	procEventHeader = 16 // what, cpu, timestamp_ns

	netlinkDone = 3 // NLMSG_DONE, the type of every message of the connector

	connectorProcIndex = 1 // CN_IDX_PROC
	connectorProcValue = 1 // CN_VAL_PROC

	procEventFork = 0x1 // PROC_EVENT_FORK
	procEventExec = 0x2 // PROC_EVENT_EXEC
)

// procEvent is what a message says of one process.
type procEvent struct {
	kind   uint32 // one of the procEvent… constants; others are skipped
	pid    int    // process that was forked or launched
	parent int    // of a fork
	time   uint64 // nanoseconds of the monotonic clock
}

// parseConnector calls each for the forks and launches of one datagram.
// Threads are left out.
func parseConnector(b []byte, each func(procEvent)) {
	ne := binary.NativeEndian
	for len(b) >= netlinkHeader {
		size := uint64(ne.Uint32(b))
		if size < netlinkHeader || size > uint64(len(b)) {
			return
		}
		if ne.Uint16(b[4:]) == netlinkDone {
			parseConnectorMessage(b[netlinkHeader:size], each)
		}
		aligned := min((size+3)&^3, uint64(len(b)))
		b = b[aligned:]
	}
}

func parseConnectorMessage(b []byte, each func(procEvent)) {
	ne := binary.NativeEndian
	if len(b) < connectorHeader || ne.Uint32(b) != connectorProcIndex || ne.Uint32(b[4:]) != connectorProcValue {
		return
	}
	size := int(ne.Uint16(b[16:]))
	b = b[connectorHeader:]
	if size > len(b) || size < procEventHeader {
		return
	}
	data, at := b[procEventHeader:size], ne.Uint64(b[8:])
	switch what := ne.Uint32(b); {
	case what == procEventExec && len(data) >= 8: // process_pid, process_tgid
		each(procEvent{kind: what, pid: int(int32(ne.Uint32(data[4:]))), time: at})
	case what == procEventFork && len(data) >= 16: // parent_pid, parent_tgid, child_pid, child_tgid
		child, group := ne.Uint32(data[8:]), ne.Uint32(data[12:])
		if child == group {
			each(procEvent{kind: what, pid: int(int32(child)), parent: int(int32(ne.Uint32(data[4:]))), time: at})
		}
	}
}

// listenMessage asks the connector for the proc events. With filter, the
// kernel sends forks and launches only; kernels before 6.6 do not know it and
// ignore the whole message.
func listenMessage(filter bool) []byte {
	const listen = 1 // PROC_CN_MCAST_LISTEN
	ne := binary.NativeEndian
	body := ne.AppendUint32(nil, listen)
	if filter {
		body = ne.AppendUint32(body, procEventFork|procEventExec)
	}
	b := ne.AppendUint32(nil, uint32(netlinkHeader+connectorHeader+len(body)))
	b = ne.AppendUint16(b, netlinkDone)
	b = append(b, make([]byte, 10)...) // flags, sequence, port
	b = ne.AppendUint32(b, connectorProcIndex)
	b = ne.AppendUint32(b, connectorProcValue)
	b = append(b, make([]byte, 8)...) // sequence, acknowledgement
	b = ne.AppendUint16(b, uint16(len(body)))
	b = ne.AppendUint16(b, 0) // flags
	return append(b, body...)
}
