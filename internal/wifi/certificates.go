package wifi

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/atomicfile"
	"github.com/netconnectd/netconnectd/internal/namedfile"
)

// maxCertificates bounds the size of a file with certificates or a key. All
// certificates that a system trusts take 220 KB together.
const maxCertificates = 1 << 20

// CertificateFile is a file that the credentials name.
type CertificateFile struct {
	What string // for people, e.g. "CA certificate"
	Path string

	field *string // the field of the credentials that holds the path
	name  string  // the name of our copy
}

// Files returns the files that the credentials name.
func (c *EAPCredentials) Files() []CertificateFile {
	var named []CertificateFile
	for _, f := range []CertificateFile{
		{What: "CA certificate", field: &c.CACert, name: "ca.pem"},
		{What: "client certificate", field: &c.ClientCert, name: "client.pem"},
		{What: "private key", field: &c.PrivateKey, name: "key.pem"},
	} {
		if f.Path = *f.field; f.Path != "" {
			named = append(named, f)
		}
	}
	return named
}

// CheckFiles reports which of the named files cannot be used, in a text for the
// person who named it. The error is nil or a *JoinError. wpa_supplicant would only
// say that the TLS library failed. CheckFiles returns within 15 s, or when ctx ends.
func (c *EAPCredentials) CheckFiles(ctx context.Context) error {
	for _, f := range c.Files() {
		if _, err := f.read(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (f CertificateFile) read(ctx context.Context) ([]byte, error) {
	text, err := namedfile.Read(ctx, f.Path, maxCertificates)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return nil, joinError(client.CodeUnsupported, "read the %s: %v; netconnectd has to be able to: sudo chgrp netconnectd %s; sudo chmod g+r %[3]s", f.What, err, f.Path)
	case err != nil:
		return nil, joinError(client.CodeUnsupported, "read the %s: %v", f.What, err)
	}
	if block, _ := pem.Decode(text); block == nil {
		return nil, joinError(client.CodeUnsupported, "the %s %s is not a PEM file", f.What, f.Path)
	}
	return text, nil
}

// copyFiles copies the named files to a folder of ours and returns the credentials
// with the paths of the copies. So wpa_supplicant reads exactly what was checked, now
// and whenever it authenticates again. A pipe or an endless file in the place of an
// original would hang it.
func (c *EAPCredentials) copyFiles(ctx context.Context, folder string) (*EAPCredentials, error) {
	copied := new(*c)
	for _, f := range copied.Files() {
		text, err := f.read(ctx)
		if err != nil {
			return nil, err
		}
		if err := os.Mkdir(folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("copy the %s: %w", f.What, err)
		}
		*f.field = filepath.Join(folder, f.name)
		if err := atomicfile.Write(*f.field, text, 0o600); err != nil {
			return nil, fmt.Errorf("copy the %s: %w", f.What, err)
		}
	}
	return copied, nil
}
