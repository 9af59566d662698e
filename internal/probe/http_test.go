package probe

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"
)

// pages maps paths to the answers of the web server at the router.
var pages = map[string]http.HandlerFunc{
	"/204":      status(http.StatusNoContent),
	"/302":      redirectTo("http://login.example/?mac=020000000001", http.StatusFound),
	"/307":      redirectTo("/elsewhere", http.StatusTemporaryRedirect),
	"/relative": redirectTo("//[", http.StatusFound),
	"/511":      status(http.StatusNetworkAuthenticationRequired),
	"/500":      status(http.StatusInternalServerError),
	"/404":      status(http.StatusNotFound),
	"/empty":    status(http.StatusOK),
	"/page":     func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<h1>Welcome</h1>") },
	"/chunked":  raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
	"/no-chunk": raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	"/unknown":  raw("HTTP/1.0 200 OK\r\n\r\nhello"),
	"/none":     raw("HTTP/1.0 200 OK\r\n\r\n"),
	"/hints":    raw("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"),
	"/close":    raw(""),
	"/half":     raw("HTTP/1.1 204 No"),
	"/garbage":  raw("SSH-2.0-" + strings.Repeat("x", 4000) + "\r\n"),
	"/long":     raw("HTTP/1.1 204 No Content\r\n" + strings.Repeat("X-Filler: "+strings.Repeat("x", 1000)+"\r\n", 100) + "\r\n"),
	"/hang":     func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	"/hang-in-page": func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	},
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func redirectTo(url string, code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", url)
		w.WriteHeader(code)
	}
}

// raw sends the bytes and closes.
func raw(response string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			io.WriteString(conn, response)
			conn.Close()
		}
	}
}

// trusted is the certificate of https://v4.test:8443.
var trusted tls.Certificate

// trusting calls run in a process whose system trusts that certificate, and no other.
func trusting(run func() int) int {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	must(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"v4.test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(err)
	trusted = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	file, err := os.CreateTemp("", "roots")
	must(err)
	defer os.Remove(file.Name())
	must(pem.Encode(file, &pem.Block{Type: "CERTIFICATE", Bytes: der}))
	must(file.Close())
	must(os.Setenv("SSL_CERT_FILE", file.Name())) // crypto/x509 reads the variable once, in SystemCertPool
	return run()
}

// serve starts the servers at the router: HTTP, HTTPS with an unknown certificate,
// HTTPS with a trusted certificate, and DNS.
func (r *router) serve() {
	r.t.Helper()
	handler := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if page, ok := pages[req.URL.Path]; ok {
			page(w, req)
		} else {
			r.t.Errorf("somebody asked for %s", req.URL) // this request means that the probe followed a redirect
		}
	})
	quiet := log.New(io.Discard, "", 0)
	for _, port := range []string{":80", ":443", ":8443"} {
		server := &httptest.Server{Config: &http.Server{Handler: handler, ErrorLog: quiet}}
		r.Do(func() (err error) {
			server.Listener, err = net.Listen("tcp", port)
			return err
		})
		switch port {
		case ":8443":
			server.TLS = &tls.Config{Certificates: []tls.Certificate{trusted}}
			server.StartTLS()
		case ":443":
			server.StartTLS()
		default:
			server.Start()
		}
		r.t.Cleanup(func() {
			server.CloseClientConnections()
			server.Close()
		})
	}
	r.serveDNS()
}

func TestHTTP(t *testing.T) {
	r := newRouter(t)
	r.serve()
	t.Setenv("http_proxy", "http://192.168.78.1:9") // no host has this address
	must(t, "ip link set lo up")
	serveDNS(t, netip.MustParseAddrPort("127.0.0.1:53"))
	at := func(path string) Config { return Config{Kind: KindHTTP, URL: "http://192.168.78.1" + path} }
	named := func(host string) Config {
		return Config{Kind: KindHTTP, URL: "http://" + host + "/204", Servers: addrs("192.168.78.1")}
	}
	secured := func(path string) Config {
		return Config{Kind: KindHTTP, URL: "https://v4.test:8443" + path, Servers: addrs("192.168.78.1")}
	}
	const connectLimit, wholeLimit = 2900 * time.Millisecond, 4900 * time.Millisecond
	check(t, "192.168.78.1", []row{
		{name: "204", cfg: at("/204")},
		{name: "204 after early hints", cfg: at("/hints")},
		{name: "204, IPv6", cfg: Config{Kind: KindHTTP, URL: "http://[2001:db8::1]/204"}},
		{name: "204 of port 80, by number", cfg: at(":80/204")},
		{name: "redirect to another host", cfg: at("/302"), portal: `redirects to "http://login.example" (302)`},
		{name: "redirect within the host", cfg: at("/307"), portal: `redirects to "http://192.168.78.1" (307)`},
		{name: "redirect to nonsense", cfg: at("/relative"), portal: "redirects (302)"},
		{name: "511", cfg: at("/511"), portal: "login (511)"},
		{name: "200 with a page", cfg: at("/page"), portal: "page (200)"},
		{name: "200 with a page in chunks", cfg: at("/chunked"), portal: "page (200)"},
		{name: "200 with a page of unknown length", cfg: at("/unknown"), portal: "page (200)"},
		{name: "200 without a page", cfg: at("/empty")},
		{name: "200 without a chunk", cfg: at("/no-chunk")},
		{name: "200 without a length or a page", cfg: at("/none")},
		{name: "500", cfg: at("/500"), err: "get http://192.168.78.1/500 on wan0: answer is 500 Internal Server Error, not 204"},
		{name: "404", cfg: at("/404"), err: "answer is 404"},
		{name: "hangs", cfg: at("/hang"), err: "read the answer: no reply", least: wholeLimit, most: 5500 * time.Millisecond},
		{name: "hangs in the page", cfg: at("/hang-in-page"), err: "read the answer: no reply", least: wholeLimit, most: 5500 * time.Millisecond},
		{name: "closes", cfg: at("/close"), err: "unexpected EOF"},
		{name: "closes in the status line", cfg: at("/half"), err: "unexpected EOF"},
		{name: "is no web server", cfg: at("/garbage"), err: "read the answer: not HTTP"},
		{name: "has a head of 100 kB", cfg: at("/long"), err: "unexpected EOF"},
		{name: "refuses", cfg: at(":81/204"), err: "connection refused"},
		{name: "is not there", cfg: Config{Kind: KindHTTP, URL: "http://192.168.78.77/204"}, err: "192.168.78.77", most: 3500 * time.Millisecond},

		{name: "name", cfg: named("v4.test")},
		{name: "name, IPv6 only", cfg: named("v6.test")},
		{name: "name, IPv6 address is dead", cfg: named("half-dead.test"), least: headStart, most: 1500 * time.Millisecond},
		{name: "name, the first of two addresses is dead", cfg: named("dead-first.test"), least: headStart, most: 1500 * time.Millisecond},
		{name: "name, servers drop questions for IPv6", cfg: named("no-aaaa.test"), least: headStart, most: 1500 * time.Millisecond},
		{name: "name, by a portal's server", cfg: Config{Kind: KindHTTP, URL: "http://v4.test/302", Servers: addrs("192.168.78.1")}, portal: "redirects"},
		{name: "name, IPv6 server", cfg: Config{Kind: KindHTTP, URL: "http://v4.test/204", Servers: addrs("2001:db8::1")}},
		{name: "name, server on this machine", cfg: Config{Kind: KindHTTP, URL: "http://v4.test/204", Servers: addrs("127.0.0.1")}},
		{name: "name does not exist", cfg: named("nx.test"), err: "AAAA from 192.168.78.1: no such name; A from 192.168.78.1: no such name"},
		{name: "name, silent server", cfg: named("silent.test"), err: "A from 192.168.78.1: no reply", least: connectLimit, most: 3500 * time.Millisecond},

		{name: "https 204", cfg: secured("/204")},
		{name: "https hangs", cfg: secured("/hang"), err: "read the answer: no reply", least: wholeLimit, most: 5500 * time.Millisecond},
		{name: "https by another name", cfg: Config{Kind: KindHTTP, URL: "https://192.168.78.1:8443/204"}, portal: "certificate"},
		{name: "certificate of somebody else", cfg: Config{Kind: KindHTTP, URL: "https://192.168.78.1/204"}, portal: "certificate"},
		{name: "no TLS where it should be", cfg: Config{Kind: KindHTTP, URL: "https://192.168.78.1:80/204"}, err: "TLS handshake"},
		{name: "another scheme", cfg: Config{Kind: KindHTTP, URL: "ftp://192.168.78.1/"}, err: "neither http nor https"},
		{name: "no host", cfg: Config{Kind: KindHTTP, URL: "http:///204"}, err: "no host"},
		{name: "password in the URL is not told", cfg: Config{Kind: KindHTTP, URL: "http://u:secret@192.168.78.1/500"}, err: "http://u:xxxxx@192.168.78.1/500"},
	})
}
