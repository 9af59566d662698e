package probe

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

const (
	// maxResponse is how many bytes of a response are read, head and all.
	maxResponse = 64 << 10
	// maxTries is how many addresses of one family are tried.
	maxTries = 2
)

// get requests the URL and judges the answer. It does not use http.Client, because a
// probe must use no proxy, follow no redirect, try only once, keep no connection and
// leave no goroutine behind.
func get(ctx context.Context, ifname string, cfg Config) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, limitHTTP)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, cfg.URL, nil)
	if err != nil {
		return Result{}, fmt.Errorf("probe %s: %w", ifname, err)
	}
	req.Close = true
	req.Header.Set("User-Agent", "netconnectd")
	req.Header.Set("Cache-Control", "no-cache")
	result, err := exchange(ctx, ifname, cfg, req)
	if err != nil {
		return Result{}, fmt.Errorf("get %s on %s: %w", req.URL.Redacted(), ifname, err)
	}
	return result, nil
}

// exchange sends the request over a new connection.
func exchange(ctx context.Context, ifname string, cfg Config, req *http.Request) (Result, error) {
	port, err := portOf(req.URL)
	if err != nil {
		return Result{}, err
	}
	conn, err := connect(ctx, ifname, cfg, req.URL.Hostname(), port)
	if err != nil {
		return Result{}, err
	}
	defer conn.Close()
	raw := conn // conn is replaced by the TLS connection below
	stop := context.AfterFunc(ctx, func() { raw.SetDeadline(time.Now()) })
	defer stop()
	if req.URL.Scheme == "https" {
		secured := tls.Client(conn, &tls.Config{ServerName: req.URL.Hostname()})
		if err := secured.HandshakeContext(ctx); err != nil {
			return judgeHandshake(err)
		}
		conn = secured
	}
	if err := req.Write(conn); err != nil {
		return Result{}, fmt.Errorf("send the request: %w", plain(err))
	}
	return judge(bufio.NewReader(io.LimitReader(conn, maxResponse)), req)
}

func portOf(u *url.URL) (uint16, error) {
	switch {
	case u.Hostname() == "":
		return 0, errors.New("no host")
	case u.Scheme != "http" && u.Scheme != "https":
		return 0, errors.New("neither http nor https")
	case u.Port() == "" && u.Scheme == "https":
		return 443, nil
	case u.Port() == "":
		return 80, nil
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	return uint16(port), err
}

// connect looks up the addresses of the host and returns the first connection that
// succeeds. It ends early enough to leave time for the answer, so its error can name
// the servers and addresses that were silent.
func connect(ctx context.Context, ifname string, cfg Config, host string, port uint16) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	dialPort := func(ctx context.Context, addr netip.Addr) (net.Conn, error) {
		conn, err := dial(ctx, ifname, "tcp", netip.AddrPortFrom(addr, port))
		if err != nil {
			return nil, fmt.Errorf("%v: %w", addr, plain(err))
		}
		return conn, nil
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return dialPort(ctx, addr)
	}
	servers := cfg.servers()
	if len(servers) == 0 {
		return nil, errors.New("no name server is known")
	}
	hangUp := func(conn net.Conn) { conn.Close() }
	types := []dnsmessage.Type{dnsmessage.TypeAAAA, dnsmessage.TypeA}
	return race(ctx, headStart, types, func(ctx context.Context, t dnsmessage.Type) (net.Conn, error) {
		addrs, err := lookup(ctx, ifname, servers, host, t)
		if err != nil {
			return nil, err
		}
		return race(ctx, headStart, addrs[:min(maxTries, len(addrs))], dialPort, hangUp)
	}, hangUp)
}

// judgeHandshake takes an invalid certificate for that of a portal. The cause may also
// be a wrong clock of this machine, which is no loss of the uplink either.
func judgeHandshake(err error) (Result, error) {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return Result{Portal: true, Detail: "shows a certificate that does not hold"}, nil
	}
	return Result{}, fmt.Errorf("TLS handshake: %w", plain(err))
}

// judge reads the response. Status 204 means the Internet. A redirect, 511, or 200
// with a page mean a portal (RFC 8910, RFC 6585 section 6). Any other response counts
// as no answer.
func judge(from *bufio.Reader, req *http.Request) (Result, error) {
	resp, err := readFinal(from, req)
	if err != nil {
		return Result{}, fmt.Errorf("read the answer: %w", plain(err))
	}
	switch code := resp.StatusCode; {
	case code == http.StatusNoContent:
		return Result{}, nil
	case code >= 300 && code < 400:
		return Result{Portal: true, Detail: redirect(resp)}, nil
	case code == http.StatusNetworkAuthenticationRequired:
		return Result{Portal: true, Detail: "asks for a login (511)"}, nil
	case code == http.StatusOK:
		page, err := hasPage(resp)
		if err != nil {
			return Result{}, fmt.Errorf("read the answer: %w", plain(err))
		}
		if page {
			return Result{Portal: true, Detail: "answers with a page (200)"}, nil
		}
		return Result{}, nil
	default:
		return Result{}, fmt.Errorf("answer is %d %s, not 204", code, http.StatusText(code))
	}
}

// readFinal skips responses that only announce the final one (status 1xx). It leaves
// the body open, as closing would read all of it; the connection is closed instead.
func readFinal(from *bufio.Reader, req *http.Request) (*http.Response, error) {
	for {
		resp, err := http.ReadResponse(from, req)
		if err != nil {
			if _, ok := errors.AsType[net.Error](err); ok || errors.Is(err, io.ErrUnexpectedEOF) {
				return nil, err
			}
			return nil, errors.New("not HTTP") // err quotes what was sent, at any length
		}
		if resp.StatusCode >= 200 || resp.StatusCode == http.StatusSwitchingProtocols {
			return resp, nil
		}
	}
}

// hasPage reports whether a body follows; some servers send an empty 200 for 204.
func hasPage(resp *http.Response) (bool, error) {
	if resp.ContentLength >= 0 {
		return resp.ContentLength > 0, nil
	}
	_, err := io.ReadFull(resp.Body, make([]byte, 1))
	if err == io.EOF {
		return false, nil
	}
	return err == nil, err
}

// redirect returns the host of the redirect. It leaves out the rest of the address,
// which identifies the visitor.
func redirect(resp *http.Response) string {
	to, err := resp.Location()
	if err != nil || to.Host == "" {
		return fmt.Sprintf("redirects (%d)", resp.StatusCode)
	}
	return fmt.Sprintf("redirects to %.100q (%d)", to.Scheme+"://"+to.Host, resp.StatusCode)
}
