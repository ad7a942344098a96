package e2e

import (
	"fmt"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
)

// ownHosts are the addresses of a world's registries that have a host name of
// their own: each is a port with a proxy behind it that keeps the Host header,
// as name-based hosting does.
type ownHosts struct{ project, group string }

// giveHosts makes such registries for worlds that are still to be made. It must
// come before the start; the proxies live as long as the test process.
func (s *server) giveHosts(worlds []string) error {
	to, err := url.Parse("http://" + s.addr)
	if err != nil {
		return err
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host
	}}
	s.hosts = map[string]ownHosts{}
	var setting []string
	for _, world := range worlds {
		project, group := httptest.NewServer(proxy), httptest.NewServer(proxy)
		s.hosts[world] = ownHosts{project.URL + "/", group.URL + "/"}
		setting = append(setting,
			fmt.Sprintf("%s=projects/%s/team/lib", project.Listener.Addr(), world),
			fmt.Sprintf("%s=groups/%s", group.Listener.Addr(), world))
	}
	s.settings["REGISTRY_NPM_HOSTS"] = strings.Join(setting, ",")
	return nil
}
