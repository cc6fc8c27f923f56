package sign

import (
	"encoding/binary"
	"testing"

	"meetguard"
)

func TestTicket(t *testing.T) {
	p := developerID(t)
	name := nameOf(2, []byte("twenty bytes of digest and more"))
	good := ticketFor(t, p, digestName{1}, name)
	put := func(at int, n uint32) []byte {
		out := with(good, "")
		binary.LittleEndian.PutUint32(out[at:], n)
		return out
	}
	chain := int(binary.LittleEndian.Uint32(good[8:]))
	cases := []struct {
		name   string
		ticket []byte
		want   string
	}{
		{"good", good, TicketStapled},
		{"empty", nil, TicketMalformed},
		{"cut off", good[:len(good)-1], TicketMalformed},
		{"appended", with(good, "x"), TicketMalformed},
		{"version", put(4, 2), TicketMalformed},
		{"size of certificates", put(8, uint32(chain)+1), TicketMalformed},
		{"huge size of certificates", put(8, 0xffffffff), TicketMalformed},
		{"size of content", put(12, 0xffffffff), TicketMalformed},
		{"number of digests", put(16+chain+8, 0xffffffff), TicketMalformed},
		{"digest changed", flipped(good, 16+chain+ticketBody+30), TicketMalformed},
		{"certificate changed", flipped(good, 16+100), TicketMalformed},
		{"signature changed", flipped(good, len(good)-50), TicketMalformed},
		{"padding changed", flipped(with(good[:len(good)-1], "\x00"), len(good)-1), TicketMalformed},
	}
	for _, c := range cases {
		var sig meetguard.Signature
		judgeTicket(c.ticket, []digestName{name}, &sig)
		if sig.Ticket != c.want || len(sig.Remarks) > 0 {
			t.Errorf("%s: got %q, remarks %v", c.name, sig.Ticket, sig.Remarks)
		}
	}
	var sig meetguard.Signature
	judgeTicket(good, []digestName{{2, 9}}, &sig)
	if sig.Ticket != TicketMalformed || len(sig.Remarks) != 1 || sig.Remarks[0] != RemarkTicketForeign {
		t.Errorf("for another: got %+v", sig)
	}
}
