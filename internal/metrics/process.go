package metrics

import (
	"bytes"
	"os"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// writeProcess writes the resources of the daemon's process. It does not use the usual
// names process_…, as node_exporter exports them for itself and refuses them in a text
// file.
func writeProcess(p *page) {
	if statm, err := os.ReadFile("/proc/self/statm"); err == nil {
		resident := residentPages(statm) * os.Getpagesize()
		p.gauge("netconnectd_process_resident_memory_bytes", "Resident memory of the daemon, without the programs that it runs.", float64(resident))
	}
	p.gauge("netconnectd_process_goroutines", "Goroutines of the daemon.", float64(runtime.NumGoroutine()))
	if files, err := os.ReadDir("/proc/self/fd"); err == nil {
		p.gauge("netconnectd_process_open_files", "Open files of the daemon.", float64(len(files)-1)) // without the descriptor of the folder itself
	}
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err == nil {
		cpu := time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
		p.counter("netconnectd_process_cpu_seconds_total", "Processor time of the daemon, without the programs that it runs.", cpu.Seconds())
	}
}

// residentPages returns the second field of /proc/PID/statm, see proc_pid_statm(5).
func residentPages(statm []byte) int {
	fields := bytes.Fields(statm)
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.Atoi(string(fields[1]))
	if err != nil {
		return 0
	}
	return pages
}
