package e2e

import (
	"net"
	"net/http"
	"slices"
	"sync"
)

// outside stands where clients look for a way to other hosts: it refuses and
// remembers whom they wanted. The tests talk http to loopback alone, so
// whatever comes here would have left the machine.
var outside outsideProxy

type outsideProxy struct {
	mu    sync.Mutex
	addr  string
	hosts []string
}

// url starts the proxy when it is asked for the first time.
func (p *outsideProxy) url() (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.addr == "" {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", err
		}
		p.addr = l.Addr().String()
		// It serves until the test process ends.
		go func() { _ = http.Serve(l, p) }()
	}
	return "http://" + p.addr, nil
}

// environ points clients to the proxy, for all but this machine.
func (p *outsideProxy) environ() ([]string, error) {
	proxy, err := p.url()
	if err != nil {
		return nil, err
	}
	const here = "127.0.0.1,localhost"
	return []string{"HTTPS_PROXY=" + proxy, "https_proxy=" + proxy, "NO_PROXY=" + here, "no_proxy=" + here}, nil
}

func (p *outsideProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	if !slices.Contains(p.hosts, r.Host) {
		p.hosts = append(p.hosts, r.Host)
	}
	p.mu.Unlock()
	http.Error(w, "tests stay on this machine", http.StatusForbidden)
}

func (p *outsideProxy) seen() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.hosts)
}
