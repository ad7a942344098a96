package httpapi

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

const headerForwarded = "X-Forwarded-For"

// clientIP gives the address of the client: the connection's, or with trusted
// proxies the last address in X-Forwarded-For that none of them has. It is read
// from the right, because a client can put anything to the left (threats.md
// T18). An unreadable address ends the walk at the proxy that passed it on.
func clientIP(remoteAddr string, forwarded []string, trusted []netip.Prefix) string {
	remote, _, err := net.SplitHostPort(remoteAddr)
	if err != nil {
		remote = remoteAddr
	}
	if len(trusted) == 0 {
		return remote
	}
	client, err := netip.ParseAddr(remote)
	if err != nil || !contains(trusted, client) {
		return remote
	}
	hops := strings.Split(strings.Join(forwarded, ","), ",")
	for _, hop := range slices.Backward(hops) {
		addr, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		client = addr.Unmap().WithZone("")
		if !contains(trusted, client) {
			break
		}
	}
	return client.Unmap().String()
}

func contains(prefixes []netip.Prefix, addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// direct tells whether the request comes from this machine and from no proxy on
// it: behind nginx on the same host every caller has a loopback address.
func direct(r *http.Request) bool {
	for _, header := range []string{headerForwarded, "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Forwarded", "Via"} {
		if len(r.Header[header]) > 0 {
			return false
		}
	}
	addr, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && addr.Addr().Unmap().IsLoopback()
}
