package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/term"
)

// maxPassphrase bounds what is read from standard input, in bytes.
const maxPassphrase = 4096

// passphraseSource says where the passphrase of a network comes from.
type passphraseSource struct {
	argument []string // at most one
	stdin    bool
	open     bool
	ask      bool // set by set_network, which otherwise keeps the saved passphrase
}

// read returns the passphrase, "" for an open network.
func (s passphraseSource) read() (string, error) {
	ways := len(s.argument)
	for _, given := range []bool{s.stdin, s.open, s.ask} {
		if given {
			ways++
		}
	}
	switch {
	case ways > 1 && s.ask:
		return "", usageError("give only one of <psk>, --psk-stdin and --ask")
	case ways > 1:
		return "", usageError("give only one of <psk>, --psk-stdin and --open")
	case len(s.argument) == 1:
		return s.argument[0], nil
	case s.stdin:
		return readPassphrase(os.Stdin)
	case s.open:
		return "", nil
	case term.IsTerminal(int(os.Stdin.Fd())):
	case s.ask:
		return "", usageError("--ask needs a terminal; without one, give the passphrase by --psk-stdin")
	default: // standard input may hold a passphrase, which an open network must not silently drop
		return "", usageError("standard input is no terminal to ask for the passphrase on: give it by --psk-stdin, or say --open where the network is open")
	}
	return prompt(os.Stdin, os.Stderr)
}

// readPassphrase reads all of r and removes one line end.
func readPassphrase(r io.Reader) (string, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxPassphrase))
	if err != nil {
		return "", fmt.Errorf("read passphrase: %w", err)
	}
	text := strings.TrimSuffix(string(data), "\n")
	return strings.TrimSuffix(text, "\r"), nil
}

// prompt asks on a terminal without echo. A signal meanwhile must not leave the
// terminal without echo.
func prompt(in, out *os.File) (string, error) {
	fd := int(in.Fd())
	state, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("read terminal state: %w", err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	quiet := context.AfterFunc(ctx, func() {
		term.Restore(fd, state)
		fmt.Fprintln(out)
		os.Exit(exitError)
	})
	defer quiet()
	fmt.Fprint(out, "Passphrase (empty for an open network): ")
	text, err := term.ReadPassword(fd)
	fmt.Fprintln(out)
	if err != nil {
		return "", fmt.Errorf("read passphrase: %w", err)
	}
	return string(text), nil
}
