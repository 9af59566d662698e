package lab

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// security is how a router protects its network.
type security string

const (
	noSecurity   security = "open"
	owe          security = "OWE"
	wpa2         security = "WPA2"
	wpa2Required security = "WPA2, management frames protected" // WPA2 only with protected management frames
	transition   security = "WPA2 and WPA3"
	wpa3         security = "WPA3"
	wpa3H2E      security = "WPA3, hash to element" // only SAE's newer derivation, as in the 6 GHz band
	fastOnly     security = "WPA2, fast transition" // 802.11r only
	eap          security = "802.1X"
)

// hostapdSecurity holds the lines of hostapd.conf(5); PASSPHRASE and FOLDER (of
// certificates) are replaced.
var hostapdSecurity = map[security]string{
	noSecurity: "",
	owe:        "wpa=2\nwpa_key_mgmt=OWE\nrsn_pairwise=CCMP\nieee80211w=2\n",
	wpa2:       "wpa=2\nwpa_key_mgmt=WPA-PSK\nrsn_pairwise=CCMP\nwpa_passphrase=PASSPHRASE\n",
	wpa2Required: "wpa=2\nwpa_key_mgmt=WPA-PSK-SHA256\nrsn_pairwise=CCMP\nieee80211w=2\n" +
		"wpa_passphrase=PASSPHRASE\n",
	transition: "wpa=2\nwpa_key_mgmt=WPA-PSK SAE\nrsn_pairwise=CCMP\nieee80211w=1\nsae_require_mfp=1\n" +
		"wpa_passphrase=PASSPHRASE\n",
	wpa3:    "wpa=2\nwpa_key_mgmt=SAE\nrsn_pairwise=CCMP\nieee80211w=2\nsae_password=PASSPHRASE\n",
	wpa3H2E: "wpa=2\nwpa_key_mgmt=SAE\nrsn_pairwise=CCMP\nieee80211w=2\nsae_pwe=1\nsae_password=PASSPHRASE\n",
	fastOnly: "wpa=2\nwpa_key_mgmt=FT-PSK\nrsn_pairwise=CCMP\nwpa_passphrase=PASSPHRASE\nnas_identifier=ap.lab\n" +
		"mobility_domain=a1b2\nft_psk_generate_local=1\nr1_key_holder=000102030405\nft_over_ds=0\n",
	eap: "wpa=2\nwpa_key_mgmt=WPA-EAP\nrsn_pairwise=CCMP\nieee8021x=1\neap_server=1\neap_user_file=FOLDER/users\n" +
		"ca_cert=FOLDER/ca.pem\nserver_cert=FOLDER/server.pem\nprivate_key=FOLDER/server.key\n",
}

func (r *Router) securityConfig(t testing.TB) string {
	t.Helper()
	kind := r.security
	if kind == "" {
		kind = wpa2
	}
	text, known := hostapdSecurity[kind]
	if !known {
		t.Fatalf("router %s: no security is called %q", r.name, kind)
	}
	if kind == eap {
		makeCertificates(t)
	}
	return strings.NewReplacer("PASSPHRASE", r.passphrase, "FOLDER", certificates).Replace(text)
}

// Become changes the settings of a running router.
func (r *Router) Become(t testing.TB, change func(*routerConfig)) {
	t.Helper()
	r.hostapd.end()
	change(&r.routerConfig)
	r.startRadio(t)
}

// keys returns the AKM suite (IEEE 802.11-2020, table 9-151) that the station and the
// router use, and whether their management frames are protected, as hostapd reports
// them.
func (r *Router) keys(t testing.TB, station string) (suite string, protected bool) {
	t.Helper()
	said := must(t, r.ns, "hostapd_cli", "-p", r.folder+"/hostapd", "-i", r.device, "sta", station)
	for line := range strings.Lines(said) {
		if value, ok := strings.CutPrefix(line, "AKMSuiteSelector="); ok {
			suite = strings.TrimSpace(value)
		}
		if flags, ok := strings.CutPrefix(line, "flags="); ok {
			protected = strings.Contains(flags, "[MFP]")
		}
	}
	return suite, protected
}

// certificates is the folder of the certificates of hostapd's EAP server and of the
// device. stranger.pem belongs to a CA that signed none of them.
const certificates = runFolder + "/certificates"

// These are users of the EAP server.
const (
	eapUser     = "somebody"
	eapPassword = "hunter2 and \"more\""
	eapServer   = "radius.lab"
)

// makeCertificates creates the certificates. They are valid at any time of the clock.
func makeCertificates(t testing.TB) {
	t.Helper()
	writeFile(t, filepath.Join(certificates, "users"), fmt.Sprintf(`"device" TLS
* PEAP,TTLS
"%[1]s" MSCHAPV2,TTLS-PAP,TTLS-MSCHAPV2 %[2]x [2]
`, eapUser, eapPassword))
	ca := newAuthority(t, "ca")
	newAuthority(t, "stranger")
	ca.sign(t, "server", eapServer, x509.ExtKeyUsageServerAuth)
	ca.sign(t, "client", "device", x509.ExtKeyUsageClientAuth)
}

// authority signs certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func template(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Unix(0, 0), NotAfter: time.Unix(1<<32, 0),
	}
}

func newAuthority(t testing.TB, name string) *authority {
	t.Helper()
	key := newKey(t)
	own := template(name)
	own.IsCA, own.BasicConstraintsValid, own.KeyUsage = true, true, x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, own, own, key.Public(), key)
	if err != nil {
		t.Fatalf("make the certificate of %s: %v", name, err)
	}
	writePEM(t, name+".pem", "CERTIFICATE", der)
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatalf("make the certificate of %s: %v", name, err)
	}
	return &authority{parsed, key}
}

func (a *authority) sign(t testing.TB, file, name string, usage x509.ExtKeyUsage) {
	t.Helper()
	key := newKey(t)
	own := template(name)
	own.DNSNames, own.ExtKeyUsage = []string{name}, []x509.ExtKeyUsage{usage}
	der, err := x509.CreateCertificate(rand.Reader, own, a.certificate, key.Public(), a.key)
	if err != nil {
		t.Fatalf("make the certificate of %s: %v", name, err)
	}
	writePEM(t, file+".pem", "CERTIFICATE", der)
	if der, err = x509.MarshalPKCS8PrivateKey(key); err != nil {
		t.Fatalf("make the key of %s: %v", name, err)
	}
	writePEM(t, file+".key", "PRIVATE KEY", der)
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatalf("make a key: %v", err)
	}
	return key
}

func writePEM(t testing.TB, file, kind string, der []byte) {
	t.Helper()
	writeFile(t, filepath.Join(certificates, file), string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})))
}
