package config

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"pakhus/internal/observe"
)

// parseAddress checks host:port. The host may be empty: all addresses.
func parseAddress(text string) (string, error) {
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		return "", errors.New("is not host:port")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		return "", fmt.Errorf("port %q is not a number up to 65535", port)
	}
	return text, nil
}

// loopback tells whether only this machine can reach the address.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// plainPath is a path prefix that every client and proxy spells alike.
var plainPath = regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*$`)

func parseExternalURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https"):
		return nil, errors.New("is not an http or https URL")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		return nil, errors.New("holds more than scheme, host and path prefix")
	}
	u.Path = strings.TrimRight(u.Path, "/")
	if !plainPath.MatchString(u.Path) || u.RawPath != "" {
		return nil, errors.New("has a path prefix with other characters than letters, digits and . _ ~ -")
	}
	return u, nil
}

// scheme is the part of a URL before "://", or nothing.
func scheme(s observe.Secret) string {
	name, _, ok := strings.Cut(s.Reveal(), "://")
	if !ok {
		return ""
	}
	return name
}

// parseLocation checks a URL that may hold a secret: no error may show it, and
// url.Parse's do.
func parseLocation(text string, schemes ...string) (observe.Secret, error) {
	s := observe.NewSecret(text)
	if !slices.Contains(schemes, scheme(s)) {
		return s, fmt.Errorf("does not begin with one of %s", strings.Join(schemes, "://, ")+"://")
	}
	if _, rest, _ := strings.Cut(text, "://"); rest == "" && scheme(s) != "mem" {
		return s, errors.New("names no place")
	}
	if strings.HasPrefix(text, "sqlite://") {
		return s, nil // a path, also with characters that no URL may have
	}
	if _, err := url.Parse(text); err != nil {
		return s, errors.New("is not a URL: escape the special characters of user name and password")
	}
	return s, nil
}

// showLocation is a URL without the secrets in it.
func showLocation(s observe.Secret) string {
	u, err := url.Parse(s.Reveal())
	if err != nil {
		name, _, _ := strings.Cut(s.Reveal(), "://")
		return name + "://[redacted]"
	}
	query := u.Query()
	for key := range query {
		if secretWord.MatchString(key) {
			query.Set(key, "redacted")
		}
	}
	if len(query) > 0 {
		u.RawQuery = query.Encode()
	}
	return u.Redacted()
}

var secretWord = regexp.MustCompile(`(?i)pass|secret|token|key|cred|sig`)

var (
	sizeForm  = regexp.MustCompile(`(?i)^([0-9]+) ?([kmgt]i?)?b?$`)
	sizeUnits = map[string]int64{
		"": 1, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12, "ki": 1 << 10, "mi": 1 << 20, "gi": 1 << 30, "ti": 1 << 40,
	}
)

// parseSize reads a number of bytes: 1000, 500MiB, 3 GiB, 100MB.
func parseSize(text string) (int64, error) {
	m := sizeForm.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("%q is not a size such as 500MiB", text)
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	unit := sizeUnits[strings.ToLower(m[2])]
	if err != nil || n > math.MaxInt64/unit {
		return 0, fmt.Errorf("%q is too large", text)
	}
	return n * unit, nil
}

// parseNetworks reads networks and single addresses, with commas between them.
func parseNetworks(text string) ([]netip.Prefix, error) {
	var networks []netip.Prefix
	for item := range strings.SplitSeq(text, ",") {
		item = strings.TrimSpace(item)
		if item == "" {
			continue
		}
		network, err := netip.ParsePrefix(item)
		if err != nil {
			addr, err := netip.ParseAddr(item)
			if err != nil {
				return nil, fmt.Errorf("%q is neither a network such as 10.0.0.0/8 nor an address", item)
			}
			network = netip.PrefixFrom(addr, addr.BitLen())
		}
		networks = append(networks, network.Masked())
	}
	return networks, nil
}

func parseWord(text string, words ...string) (string, error) {
	if !slices.Contains(words, text) {
		return "", fmt.Errorf("%q is not one of %s", text, strings.Join(words, ", "))
	}
	return text, nil
}

func parseDir(text string) (string, error) {
	if strings.ContainsRune(text, 0) {
		return "", errors.New("is not a path")
	}
	return filepath.Abs(text)
}

// npmHost is one registry with a host name of its own.
var npmHost = regexp.MustCompile(`^[A-Za-z0-9.:\[\]-]+=(projects|groups)/[A-Za-z0-9_./-]+$`)

// parseNPMHosts checks the form; what it names may be made later.
func parseNPMHosts(s string) (string, error) {
	for item := range strings.SplitSeq(s, ",") {
		if item = strings.TrimSpace(item); item != "" && !npmHost.MatchString(item) {
			return "", fmt.Errorf("%q is not HOST=projects/PATH or HOST=groups/PATH", item)
		}
	}
	return s, nil
}
