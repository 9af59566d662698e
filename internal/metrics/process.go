package metrics

import (
	"bytes"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// writeProcess tells what the daemon's process takes. The names process_… are
// taken: node_exporter has them of itself, and refuses those of a text file.
func writeProcess(p *page) {
	if statm, err := os.ReadFile("/proc/self/statm"); err == nil {
		resident := residentPages(statm) * os.Getpagesize()
		p.gauge("netconnectd_process_resident_memory_bytes", "Resident memory of the daemon, without the programs that it runs.", float64(resident))
	}
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err == nil {
		cpu := time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
		p.counter("netconnectd_process_cpu_seconds_total", "Processor time of the daemon, without the programs that it runs.", cpu.Seconds())
	}
}

// residentPages is the second field of /proc/PID/statm, see proc_pid_statm(5).
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
