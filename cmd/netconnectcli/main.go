// Netconnectcli controls netconnectd from the command line.
package main

import "os"

func main() {
	os.Exit(run(os.Args[1:]))
}
