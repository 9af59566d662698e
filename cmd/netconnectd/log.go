package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"

	"gopkg.in/natefinch/lumberjack.v2"

	"github.com/netconnectd/netconnectd/internal/config"
)

// Bounds of --logfile.
const (
	logMegabytes = 10
	logBackups   = 3
)

// logger writes to standard error or to a file.
type logger struct {
	*slog.Logger
	file *logFile // nil for standard error
}

func newLogger(l config.Log) *logger {
	options := &slog.HandlerOptions{Level: level(l)}
	if l.File == "" {
		options.ReplaceAttr = journalTime
		return &logger{Logger: slog.New(slog.NewTextHandler(os.Stderr, options))}
	}
	file := newLogFile(l.File, os.Stderr)
	return &logger{slog.New(slog.NewTextHandler(file, options)), file}
}

func level(l config.Log) slog.Level {
	switch {
	case l.Debug:
		return slog.LevelDebug
	case l.Quiet:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// journalTime drops the time when systemd's journal adds its own.
func journalTime(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey && os.Getenv("JOURNAL_STREAM") != "" {
		return slog.Attr{}
	}
	return a
}

// Rotate starts a new file, if the log goes to a file.
func (l *logger) Rotate() error {
	if l.file == nil {
		return nil
	}
	return l.file.to.Rotate()
}

// Close closes the file, if the log goes to a file.
func (l *logger) Close() error {
	if l.file == nil {
		return nil
	}
	return l.file.to.Close()
}

// logFile is a log of bounded size. The first write opens it. Lines that the file
// cannot take, on a full disk or a read-only root, go to another writer. slog writes
// one line at a time.
type logFile struct {
	to     *lumberjack.Logger
	rescue io.Writer
	broken bool // the last line could not be written to the file
}

func newLogFile(path string, rescue io.Writer) *logFile {
	return &logFile{to: &lumberjack.Logger{Filename: path, MaxSize: logMegabytes, MaxBackups: logBackups}, rescue: rescue}
}

// Write never returns an error of the file.
func (f *logFile) Write(line []byte) (int, error) {
	n, err := f.to.Write(line)
	if err == nil {
		f.broken = false
		return n, nil
	}
	if !f.broken {
		f.broken = true
		fmt.Fprintf(f.rescue, "netconnectd: write the log: %v; until that is over it goes here\n", err)
	}
	return f.rescue.Write(line)
}
