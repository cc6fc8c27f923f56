package collect

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// How many connections may be open of those that have not proved who they are:
// in all, of one address, and of one address when all are there. A whole site, or
// a fleet behind a load balancer, comes from one address, but its agents prove
// themselves with their first request. What comes beyond is closed: agents come
// again later and later.
const (
	maxStrangers  = 16384
	maxOfAddress  = 1024
	maxWhenFull   = 8
	maxOfOneAgent = 32 // an agent has one or two, and those that broke without a word
)

// visitors counts connections by who has opened them: the address, until they
// have proved to be of an agent or a person.
type visitors struct {
	mu        sync.Mutex
	strangers int
	count     map[string]int
}

func newVisitors() *visitors { return &visitors{count: map[string]int{}} }

// meet takes a new connection in, or returns nil if there are too many.
func (v *visitors) meet(conn net.Conn) *visitor {
	key := "address:" + siteOf(conn.RemoteAddr())
	v.mu.Lock()
	defer v.mu.Unlock()
	if n := v.count[key]; n >= maxOfAddress || v.strangers >= maxStrangers && n >= maxWhenFull {
		return nil
	}
	v.strangers++
	v.count[key]++
	return &visitor{Conn: conn, book: v, key: key, stranger: true}
}

// drop counts a connection less. It needs the lock.
func (v *visitors) drop(key string) {
	if v.count[key]--; v.count[key] <= 0 {
		delete(v.count, key)
	}
}

// siteOf is whom an address belongs to: with IPv6 one has a whole network of 64
// bits.
func siteOf(addr net.Addr) string {
	ap, err := netip.ParseAddrPort(addr.String())
	if err != nil {
		return addr.String()
	}
	ip := ap.Addr().Unmap().WithZone("")
	if ip.Is6() {
		if net, err := ip.Prefix(64); err == nil {
			return net.String()
		}
	}
	return ip.String()
}

// visitor is a connection that is counted.
type visitor struct {
	net.Conn
	first byte  // that was read to see what it speaks
	again bool  // it is read once more
	turn  *pass // while the handshake is made, nil otherwise

	book     *visitors
	key      string // under which it is counted, "" not at all
	stranger bool
}

// Read gives the first byte once more. In a handshake the turn is free meanwhile.
func (c *visitor) Read(p []byte) (int, error) {
	if c.again && len(p) > 0 {
		p[0], c.again = c.first, false
		return 1, nil
	}
	if c.turn == nil {
		return c.Conn.Read(p)
	}
	c.turn.leave()
	_ = c.SetReadDeadline(time.Now().Add(firstByteTimeout)) // an error shows in Read
	n, err := c.Conn.Read(p)
	if late := c.turn.enter(); late != nil && err == nil {
		err = late
	}
	return n, err
}

// Close ends the connection and its count.
func (c *visitor) Close() error {
	c.book.mu.Lock()
	c.countAs("")
	c.book.mu.Unlock()
	return c.Conn.Close()
}

// prove counts the connection no more among those of strangers but under whom it
// is of, "" for nobody, and tells whether those are few enough. Only the first
// proof counts.
func (c *visitor) prove(key string) bool {
	c.book.mu.Lock()
	defer c.book.mu.Unlock()
	if c.stranger {
		c.countAs(key)
	}
	return c.key == "" || c.book.count[c.key] <= maxOfOneAgent
}

// countAs needs the lock of the book.
func (c *visitor) countAs(key string) {
	if c.stranger {
		c.book.strangers--
	}
	if c.key != "" {
		c.book.drop(c.key)
	}
	if key != "" {
		c.book.count[key]++
	}
	c.stranger, c.key = false, key
}

type visitorKey struct{}

// withVisitor lets requests find the connection that they came by.
func withVisitor(ctx context.Context, conn net.Conn) context.Context {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	if v, ok := conn.(*visitor); ok {
		ctx = context.WithValue(ctx, visitorKey{}, v)
	}
	return ctx
}

// welcome counts the connection of a request no more among those of strangers,
// once its caller is known. An agent has few: a further one is sent away.
func welcome(w http.ResponseWriter, r *http.Request, c caller) error {
	v, ok := r.Context().Value(visitorKey{}).(*visitor)
	if !ok || c.Kind == nobody {
		return nil
	}
	key := ""
	if c.Kind == agent && r.Header.Get("X-MG-Certificate") == "" { // a proxy carries many agents by one connection
		key = c.Name
	}
	if v.prove(key) {
		return nil
	}
	w.Header().Set("Connection", "close")
	return errBusy()
}
