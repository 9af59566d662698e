package client

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxRequest is the size in bytes, without the final NUL, up to which the
// daemon accepts a request.
const MaxRequest = 64 << 10

// ErrTooLong means that a frame exceeded the reader's limit. The frame was skipped,
// and the next one can be read.
var ErrTooLong = errors.New("frame is too long")

// EncodeFrame returns v as one frame: compact JSON in pure ASCII, then a NUL.
func EncodeFrame(v any) ([]byte, error) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode frame: %w", err)
	}
	return append(escapeToASCII(bytes.TrimSuffix(text.Bytes(), []byte("\n"))), 0), nil
}

// escapeToASCII writes every character outside of printable ASCII as \uXXXX. In valid
// JSON such characters occur only inside strings.
func escapeToASCII(text []byte) []byte {
	out := make([]byte, 0, len(text)+1)
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		text = text[size:]
		switch {
		case r < 0x7f:
			out = append(out, byte(r))
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}

// FrameReader splits a byte stream into frames. It skips white space in front of a
// frame, which the daemon sends to show that it is still working.
type FrameReader struct {
	r     *bufio.Reader
	limit int
}

// NewFrameReader returns a reader of frames of up to limit bytes, the NUL not
// counted.
func NewFrameReader(r io.Reader, limit int) *FrameReader {
	return &FrameReader{r: bufio.NewReader(r), limit: limit}
}

// Await blocks until the first byte of a frame is there. io.EOF means that the
// stream ended between frames.
func (f *FrameReader) Await() error {
	for {
		b, err := f.r.ReadByte()
		if err != nil {
			return err
		}
		if !isSpace(b) {
			return f.r.UnreadByte()
		}
	}
}

// Read returns the next frame without its NUL. io.EOF means that the stream
// ended between frames, io.ErrUnexpectedEOF that it ended within one.
func (f *FrameReader) Read() ([]byte, error) {
	if err := f.Await(); err != nil {
		return nil, err
	}
	var frame []byte
	tooLong := false
	for {
		part, err := f.r.ReadSlice(0)
		done := err == nil
		if done {
			part = part[:len(part)-1]
		}
		// After the limit, the rest is discarded as it arrives, so that the sender
		// can finish, read the answer and go on.
		tooLong = tooLong || len(frame)+len(part) > f.limit
		if tooLong {
			frame = nil
		} else {
			frame = append(frame, part...)
		}
		switch {
		case done && tooLong:
			return nil, ErrTooLong
		case done:
			return frame, nil
		case errors.Is(err, io.EOF):
			return nil, io.ErrUnexpectedEOF
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}

// isSpace reports whether the original daemon stripped the byte around a frame.
func isSpace(b byte) bool {
	switch b {
	case ' ', '\t', '\n', '\r', '\v', '\f':
		return true
	}
	return false
}
