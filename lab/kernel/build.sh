#!/bin/bash
# The recipe of the lab's kernel: Linux as a user-mode program whose clock jumps when
# nobody in it is runnable. Usage: build.sh FOLDER OWNER
# It leaves in FOLDER, owned by OWNER (uid:gid): linux, the program; modules.cpio,
# the list of what is built in, which modprobe reads; config and version.
#
# The source is Debian's, signed by Debian's archive key. Since 6.16 the processes of
# user-mode Linux run by seccomp instead of ptrace, which takes a third less time.
set -euo pipefail

release=trixie-backports
source=linux-source-7.3
oldest=6.16
mirror=${LAB_MIRROR:-http://deb.debian.org/debian}
# Folders whose files are left out, two thirds of the source. Their Kconfig files and
# Makefiles stay, because those of the others refer to them.
unneeded=(
	Documentation sound samples drivers/gpu drivers/media drivers/infiniband drivers/staging
	drivers/scsi drivers/usb drivers/iio drivers/clk drivers/pinctrl drivers/video
	drivers/net/ethernet tools/testing tools/perf
)

out=$1 owner=$2
here=$(cd "$(dirname "$0")" && pwd)
work=$out/work
trap 'rm -rf "$work"' EXIT
trap 'trap - TERM INT; kill 0; exit 1' TERM INT # the compilers, too

step() { printf '%s\n' "$*"; }

# fetch downloads the source package by an apt of its own, which leaves this
# machine's package lists as they are.
fetch() {
	mkdir -p "$work"/apt/{lists/partial,cache/archives/partial}
	cat >"$work/apt/sources" <<-END
		deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $release main
	END
	cat >"$work/apt/conf" <<-END
		Dir::Etc::sourcelist "$work/apt/sources";
		Dir::Etc::sourceparts "-";
		Dir::State::lists "$work/apt/lists";
		Dir::Cache "$work/apt/cache";
		APT::Sandbox::User "";
		Acquire::Languages "none";
	END
	export APT_CONFIG=$work/apt/conf
	apt-get -qq update
	if ! apt-cache show "$source" >/dev/null 2>&1; then
		local newest
		newest=$(apt-cache --names-only search '^linux-source-[0-9.]*$' | sed 's/linux-source-\([0-9.]*\) .*/\1/' | sort -V | tail -1)
		if [ -z "$newest" ] || [ "$(printf '%s\n' "$newest" "$oldest" | sort -V | head -1)" != "$oldest" ]; then
			echo "$release has neither $source nor another Linux from $oldest on" >&2
			exit 1
		fi
		step "$release has no $source any more: taking linux-source-$newest"
		source=linux-source-$newest
	fi
	(cd "$work" && apt-get -qq download "$source")
}

unpack() {
	local options=() folder
	for folder in "${unneeded[@]}"; do
		options+=(--exclude="$source/$folder/*."{c,h,S,rst,yaml,json,svg,txt,dts})
	done
	dpkg-deb --fsys-tarfile "$work/$source"_*.deb | tar -xO "./usr/src/$source.tar.xz" |
		xz -dc -T0 | tar -x -C "$work" "${options[@]}"
	mv "$work/$source" "$work/linux"
}

# configure makes the configuration from the list of options, and fails if an option
# has not become what the list says.
configure() {
	local word options=()
	cd "$work/linux"
	make -s ARCH=um tinyconfig
	for word in $(grep -rhoE '^config (NET|WLAN)_VENDOR_\w+' drivers/net | sed 's/config //'); do
		options+=(-d "$word")
	done
	for word in $(sed 's/#.*//' "$here/options"); do
		case $word in
		-*) options+=(-d "${word#-}") ;;
		*) options+=(-e "$word") ;;
		esac
	done
	scripts/config "${options[@]}"
	make -s ARCH=um olddefconfig
	for word in $(sed 's/#.*//' "$here/options"); do
		case $word in
		-*) ! grep -qx "CONFIG_${word#-}=y" .config || unset_options+=" $word" ;;
		*) grep -qx "CONFIG_$word=y" .config || unset_options+=" $word" ;;
		esac
	done
	if [ -n "${unset_options:-}" ]; then
		echo "lab/kernel/options cannot be had:$unset_options" >&2
		exit 1
	fi
}

compile() {
	make ARCH=um -j"$(nproc)" linux |
		awk '$1 ~ /^(CC|AS|HOSTCC)$/ && ++n % 50 == 0 { print "compiling it: " n " objects"; fflush() }'
	strip -o "$out/linux" linux
	cp .config "$out/config"
	make -s ARCH=um kernelrelease >"$out/version"
}

# What is built in, for modprobe: an archive that is unpacked over the root.
modules() {
	local folder
	folder=$work/root/lib/modules/$(cat "$out/version")
	mkdir -p "$folder"
	cp modules.builtin modules.builtin.modinfo modules.order "$folder/" 2>/dev/null || true
	touch "$folder/modules.order"
	/sbin/depmod -b "$work/root" "$(cat "$out/version")"
	mkdir "$work/root/usr"
	mv "$work/root/lib" "$work/root/usr/lib" # Debian's /lib is a link
	(cd "$work/root" && find usr/lib/modules | cpio --quiet -o -H newc -R 0:0) >"$out/modules.cpio"
}

step "downloading $source from Debian's $release"
fetch
step "unpacking it"
unpack
step "configuring it"
configure
step "compiling it"
compile
modules
chown "$owner" "$out"/{linux,config,version,modules.cpio}
