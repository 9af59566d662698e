# The first command of a newcomer is `make run`, the second `make test`. Both
# install what is missing on a Debian 12 machine; only Go has to be there.

GO          ?= go
VERSION     := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
BUILD_FLAGS := -trimpath -ldflags '-s -w -X main.version=$(VERSION)'
# Its file is most of the memory that the daemon takes. So what the daemon runs once or
# seldom, such as the reading of its configuration, is built without inlining.
SELDOM      := crypto/... vendor/... net/http/... go.yaml.in/... github.com/spf13/... \
	$(addprefix github.com/netconnectd/netconnectd/internal/,config doctor network openwrt uci)
STATICCHECK := build/tools/staticcheck-0.8.2
LAB         := build/bin/lab
VERSION_OF_STATICCHECK := v0.8.2
export NFPM := build/tools/nfpm-2.44.2
VERSION_OF_NFPM := v2.44.2
BIN         := build/bin

# Scenarios for soak and test-lab, and how often soak and bench run theirs.
SCENARIO ?=
N        ?=

# With NetworkManager, of run.
MANAGER  ?=

# Tests that make network namespaces need root. Their binaries get it, the
# compiler does not; PATH because some of them look for the go command.
ifneq ($(shell id -u),0)
AS_ROOT = -exec 'sudo -E env PATH=$(PATH) GOCACHE=$(CURDIR)/build/root-cache'
endif

PACKAGES_MACHINE := \
	'mmdebstrap=makes the root of the machine with the simulated radios' \
	'debian-archive-keyring=checks what mmdebstrap and the kernel download' \
	'e2fsprogs=writes the disk image for Debian'"'"'s own kernel (mke2fs)' \
	'xz-utils=unpacks the source of the machine'"'"'s kernel' \
	'gcc=compiles that kernel' \
	'libc6-dev=and its headers' \
	'flex=for the configuration of that kernel' \
	'bison=likewise' \
	'bc=likewise' \
	'cpio=packs the list of what is built in' \
	'kmod=likewise (depmod)'
PACKAGES_STOCK := \
	'qemu-system-x86=a machine with Debian'"'"'s own kernel' \
	'qemu-utils=and its disk (qemu-img)'
PACKAGES_RINGS := \
	'gcc=go test -race needs a C compiler' \
	'libc6-dev=and its headers' \
	'hostapd=the real one, for tests without a radio' \
	'dnsmasq-base=the real one, for tests without a radio' \
	'wpasupplicant=the real one, for tests without a radio' \
	'udhcpc=a DHCP client, a witness of what the access point leases' \
	'nftables=nft, a witness of the packet filter' \
	'procps=sysctl, for gateways that drop pings' \
	'python3-minimal=a client of the socket that is not ours' \
	'nodejs=runs the example of docs/protocol.md in JavaScript' \
	'netcat-openbsd=nc -U, of the example in shell' \
	'jq=of the example in shell' \
	'python3-yaml=a reader of YAML that is not ours, a witness of show' \
	'bash=completes names of networks that strangers have chosen' \
	'zsh=likewise' \
	'fish=likewise' \
	'iproute2=ip, a witness of tests in network namespaces' \
	'dbus-daemon=a bus for tests of what is said to NetworkManager and systemd-networkd' \
	'systemd=systemd-networkd, a network manager that is measured beside ours' \
	'ethtool=a witness of what drivers say' \
	'python3-pyroute2=a netlink library that is not ours, a witness of events' \
	'iputils-ping=ping, a witness of tests in network namespaces'
PACKAGES_DEB = \
	'qemu-user=runs the programs of the other architectures' \
	'shellcheck=checks the maintainer scripts' \
	'man-db=checks the manual pages' \
	'mandoc=checks them, too' \
	$(PACKAGES_RELEASE) $(PACKAGES_SIGNING)
PACKAGES_RELEASE := \
	'apt-utils=writes the indices of the apt repository (apt-ftparchive)'
PACKAGES_SIGNING := \
	'gpg=signs the apt repository' \
	'gpg-agent=which keeps the key that signs'

.PHONY: help
help: ## show this
	@echo 'make TARGET, where TARGET is one of'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## static binaries in build/bin
	@mkdir -p $(BIN)
	CGO_ENABLED=0 $(GO) build $(BUILD_FLAGS) -o $(BIN)/ $$($(GO) list ./cmd/... | grep -v /netconnectd$$)
	CGO_ENABLED=0 $(GO) build $(BUILD_FLAGS) $(SELDOM:%=-gcflags=%=-l) -o $(BIN)/ ./cmd/netconnectd

.PHONY: deb
deb: $(NFPM) ## Debian packages for amd64, arm64 and ARMv6 (armhf) in build/deb
	@rm -rf build/deb
	@for arch in amd64 arm64 armhf; do packaging/build $$arch '$(VERSION)' build/deb || exit; done
	@ls -l build/deb

.PHONY: release
release: ## all files of a release in build/release, with an apt repository; RELEASE_KEY=KEY signs; tags nothing
	@packaging/release '$(VERSION)'
	@lab/host/packages $(PACKAGES_RELEASE) $(if $(RELEASE_KEY),$(PACKAGES_SIGNING))
	@$(MAKE) --no-print-directory deb
	@packaging/release '$(VERSION)' build/deb build/release
	@find build/release -type f | LC_ALL=C sort

.PHONY: run
run: machine ## the main job as a story, on simulated radios, with a timeline; MANAGER=1 with NetworkManager
	@LAB_MANAGER=$(MANAGER) $(LAB) story

.PHONY: lab
lab: machine ## a shell in the lab's machine, with the daemon running
	@$(LAB) shell

.PHONY: test
test: check test-rings test-deb test-kinds test-lab ## everything: static checks, tests here, tests in the lab

.PHONY: check
check: $(STATICCHECK) ## gofmt, go vet, staticcheck
	@echo '== gofmt, go vet, staticcheck'
	@unformatted=$$(gofmt -l .); [ -z "$$unformatted" ] || { echo "not gofmt'ed: $$unformatted"; exit 1; }
	@$(GO) vet ./... && $(GO) vet -tags lab ./lab/... && $(GO) vet -tags deb ./packaging && $(GO) vet -tags labhook ./internal/supervisor
	@GOARCH=arm CGO_ENABLED=0 $(GO) vet ./cmd/... # integers of 32 bits, as on a Raspberry Pi
	@$(STATICCHECK) $$($(GO) list ./... | grep -v /lab$$) && $(STATICCHECK) -tags lab ./lab/... && $(STATICCHECK) -tags deb ./packaging

# An error is of a module whose versions the proxy does not list, see docs/dependencies.md.
.PHONY: outdated
outdated: ## direct modules that are behind, retracted or deprecated, as the module proxy says
	@$(GO) list -m -f '{{if not (or .Main .Indirect)}}{{.Path}}{{end}}' all | while read -r module; do \
		$(GO) list -e -m -u -f '{{with .Update}}{{$$.Path}} {{$$.Version}} is behind {{.Version}}{{"\n"}}{{end}}{{with .Retracted}}{{$$.Path}} {{$$.Version}} is retracted: {{.}}{{"\n"}}{{end}}{{with .Deprecated}}{{$$.Path}} is deprecated: {{.}}{{"\n"}}{{end}}{{with .Error}}{{$$.Path}} {{$$.Version}}: {{.Err}}{{"\n"}}{{end}}' "$$module"; \
	done | grep . || echo 'every direct module is the newest'

.PHONY: test-rings
test-rings: ## the tests that need no radio (rings 1 to 3), with the race detector
	@echo '== tests without radios, with the race detector'
	@lab/host/packages $(PACKAGES_RINGS)
ifdef AS_ROOT
	@echo 'Root, through sudo, is for the tests that make network namespaces.'
	@sudo -v
endif
	$(GO) test -race -count=1 $(AS_ROOT) ./...
	@echo '== what is measured, without the race detector'
	$(GO) test -count=1 $(AS_ROOT) -p 1 -run '^(TestScale|TestDeclareScale|TestPlanAllIsLinear|TestAbuse|TestListOfThousand)$$' ./state/kernel ./internal/link ./internal/server ./internal/daemon

.PHONY: test-deb
test-deb: deb ## what the packages hold, and that they run on their architectures
	@echo '== packages'
	@lab/host/packages $(PACKAGES_DEB)
	$(GO) test -count=1 -tags deb -v ./packaging

.PHONY: test-lab
test-lab: machine ## the scenarios on simulated radios, in virtual time (ring 4); SCENARIO=regexp for some
	@echo '== scenarios in the lab, in virtual time'
	@$(LAB) $(if $(value SCENARIO),-run '$(value SCENARIO)') test

# Tests that need kinds of links which few kernels have.
KINDS := ^(TestEverySettableRow|TestEverySettableRowOfLink|TestDeclarePrimary|TestEveryKind|TestVLANByItsName)$$

.PHONY: test-kinds
test-kinds: machine ## every kind of link, in the lab's kernel: what it takes of each attribute, and as a declared device
	@echo "== every kind of link, in the lab's kernel"
	@$(GO) test -count=1 -p 1 -exec '$(CURDIR)/$(LAB) exec' -run '$(KINDS)' ./internal/link/rtnl ./internal/link ./internal/declared

.PHONY: changes
changes: machine ## measure again what a change of each attribute costs, and write docs/changes.md
	$(GO) test -count=1 -v -exec '$(CURDIR)/$(LAB) exec' -run '^TestEverySettableRow$$' ./internal/link/rtnl -update >build/changes.log || { cat build/changes.log; exit 1; }
	sed -n '/^--- begin of /,/^--- end of /p' build/changes.log | sed '1d;$$d' >internal/link/rtnl/testdata/changes.golden
	$(GO) test -count=1 -run '^(TestClassesAreMeasured|TestChangesPage)$$' ./internal/link/rtnl -update

.PHONY: test-manager
test-manager: machine ## those of them with NetworkManager
	@echo '== scenarios with NetworkManager'
	@$(LAB) -run '^Test(NetworkManager|DoctorWithNetworkManager|BeforeRebootManaged)' test

.PHONY: test-stock
test-stock: machine ## the story, the package and a dozen scenarios on Debian's own kernel in QEMU
	@echo "== scenarios on Debian's own kernel"
	@lab/host/packages $(PACKAGES_STOCK)
	@$(LAB) -stock $(if $(value SCENARIO),-run '$(value SCENARIO)') test

.PHONY: soak
soak: machine ## scenarios again and again, long: make soak N=20 SCENARIO=TestRouterDies
	@LAB_LONG=1 $(LAB) -count $(or $(N),20) -deadline $(or $(N),20)0m $(if $(value SCENARIO),-run '$(value SCENARIO)') test

.PHONY: bench
bench: machine ## the promised figures on a quiet machine: N=5 times each scenario that has one
	NETCONNECTD_STRICT=1 $(GO) test -count=1 $(AS_ROOT) -v -run '^TestScale$$' ./state/kernel
	NETCONNECTD_STRICT=1 $(GO) test -count=1 $(AS_ROOT) -v -timeout 30m -run '^TestDeclareScale$$' ./internal/link
	NETCONNECTD_STRICT=1 $(GO) test -count=1 $(AS_ROOT) -v -run '^TestBesideNetworkd$$' ./internal/declared
	NETCONNECTD_SCALE=10 $(GO) test -count=1 $(AS_ROOT) -v -timeout 30m -run '^TestScale$$' ./state/kernel
	@$(LAB) -run '^TestBench' test
	@LAB_NOISE=1 $(LAB) -count $(or $(N),5) -run '^(TestColdStart|TestColdStartUnplugged|TestWrongPassphrase|TestChildren.*)$$' test

.PHONY: clean
clean: ## remove what was built; the lab's disk image and kernel stay in the user's cache
	rm -rf build

# What the lab's machines need: the device's package, and another version of it to
# upgrade to, the scenarios, and the disk image and the kernel.
.PHONY: machine
machine: build $(NFPM)
	@lab/host/packages $(PACKAGES_MACHINE)
	@rm -rf build/lab/package build/lab/next
	@packaging/build amd64 '$(VERSION)' build/lab/package none
	@packaging/build amd64 '$(VERSION)-next' build/lab/next none
	@CGO_ENABLED=0 $(GO) test -c -tags lab -o build/bin/lab.test ./lab
	@CGO_ENABLED=0 $(GO) build $(BUILD_FLAGS) -tags labhook -o build/bin/netconnectd-labhook ./cmd/netconnectd
	@CGO_ENABLED=0 $(GO) build -o $(LAB) ./lab/run
	@$(LAB) image

$(STATICCHECK):
	@mkdir -p build/tools
	GOBIN=$(CURDIR)/build/tools $(GO) install honnef.co/go/tools/cmd/staticcheck@$(VERSION_OF_STATICCHECK)
	@mv build/tools/staticcheck $@

$(NFPM):
	@mkdir -p build/tools
	GOBIN=$(CURDIR)/build/tools $(GO) install github.com/goreleaser/nfpm/v2/cmd/nfpm@$(VERSION_OF_NFPM)
	@mv build/tools/nfpm $@
