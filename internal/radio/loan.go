package radio

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/atomicfile"
	"github.com/netconnectd/netconnectd/internal/networkmanager"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// loan notes in the runtime folder that the radio was taken from NetworkManager, so
// that a later run, or the tear-down, hands the radio back.
type loan struct{ dir string }

func (l loan) file() string { return filepath.Join(l.dir, "released") }

// noted reports whether the radio was taken and not handed back yet.
func (l loan) noted() bool {
	_, err := os.Stat(l.file())
	return err == nil
}

// take takes the radio from NetworkManager. The note comes first: if the daemon
// ends in between, the next run still knows that the radio has to be handed back.
func (l loan) take(ctx context.Context, from *networkmanager.Client) error {
	if err := atomicfile.Write(l.file(), []byte(from.Interface+"\n"), 0o600); err != nil {
		return fmt.Errorf("note that NetworkManager lacks %s: %w", from.Interface, err)
	}
	if err := from.Release(ctx); err != nil && !errors.Is(err, networkmanager.ErrAbsent) {
		return err
	}
	return nil
}

// handBack hands the radio back and removes the note. NetworkManager also takes a
// radio that is switched off; the error then satisfies isOff.
func (l loan) handBack(ctx context.Context, to *networkmanager.Client) error {
	err := to.HandBack(ctx)
	if err != nil && !isOff(err) {
		return err
	}
	return cmp.Or(l.forget(), err)
}

func (l loan) forget() error {
	if err := os.Remove(l.file()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// isOff reports whether err only says that the radio is switched off.
func isOff(err error) bool {
	var join *wifi.JoinError
	return errors.As(err, &join) && join.Code == client.CodeRadioOff
}

// returnLoan hands the radio back at the tear-down. It first waits for a
// NetworkManager that is being restarted.
func (r *radio) returnLoan(ctx context.Context) error {
	client := networkManager(r.iface, r.log)
	if _, err := client.Back(ctx, restartLimit); err != nil {
		return fmt.Errorf("hand %s back: %w: when NetworkManager runs again, nmcli device set %[1]s managed yes", r.iface, err)
	}
	if err := (loan{r.dir}).handBack(ctx, client); !isOff(err) { // a radio that is off was handed back as well
		return err
	}
	return nil
}

// networkManager returns a client for the interface.
func networkManager(iface string, log *slog.Logger) *networkmanager.Client {
	return &networkmanager.Client{Interface: iface, AddressLimit: addressLimit, Log: log}
}
