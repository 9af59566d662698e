#!/bin/bash
# The recipe of the lab's disk image: Debian with the programs that play the
# device and its neighbourhood. Usage, as root: build.sh FOLDER OWNER
# It leaves root.ext4, vmlinuz, initrd and root.cpio in FOLDER, owned by OWNER
# (uid:gid).
#
# This file and its neighbours are hashed into the name under which the image
# is cached: what they do not say is not in the image.
set -euo pipefail

release=bookworm
mirror=${LAB_MIRROR:-http://deb.debian.org/debian}
packages=(
	# The device itself.
	linux-image-amd64 systemd systemd-sysv udev dbus busybox-static kmod less
	# What netconnectd works with.
	hostapd dnsmasq-base wpasupplicant wireless-regdb iw rfkill libcap2-bin nftables network-manager
	# The parties around it and the witnesses.
	iproute2 iputils-ping udhcpc curl tcpdump wireguard-tools
)
# Kernel modules for hardware that this machine does not have: half of the disk.
absent=(
	drivers/gpu drivers/media drivers/infiniband drivers/scsi drivers/md drivers/iio drivers/hwmon
	drivers/staging drivers/ata drivers/isdn drivers/mtd drivers/video drivers/net/ethernet drivers/usb
	drivers/crypto drivers/edac drivers/target drivers/nvme drivers/platform drivers/accel
	fs/ocfs2 fs/btrfs fs/xfs fs/ceph fs/nfs fs/nfsd fs/smb fs/gfs2 fs/f2fs sound
)
# Folders that no scenario needs, removed at the end: the root of the machine in
# virtual time is in memory, and unpacking it is the longest part of the boot. Perl
# was needed to merge /usr; what the maintainer scripts need of it, perl-base, stays.
superfluous=(
	usr/share/doc usr/share/man usr/share/locale usr/share/info usr/share/zoneinfo usr/share/perl
	usr/lib/x86_64-linux-gnu/perl usr/lib/x86_64-linux-gnu/gconv usr/lib/udev/hwdb.d usr/lib/udev/hwdb.bin
)
# Units that a machine of a few minutes' life does not need. NetworkManager,
# hostapd and wpa_supplicant are there for the scenarios that start them.
masked=(
	NetworkManager.service NetworkManager-dispatcher.service NetworkManager-wait-online.service
	hostapd.service wpa_supplicant.service ModemManager.service nftables.service
	systemd-networkd-wait-online.service systemd-timesyncd.service systemd-hwdb-update.service
	systemd-journal-flush.service systemd-journal-catalog-update.service systemd-random-seed.service
	systemd-update-utmp.service systemd-update-utmp-runlevel.service systemd-update-done.service
	systemd-pcrphase.service systemd-pcrphase-sysinit.service systemd-boot-system-token.service
	systemd-remount-fs.service systemd-fsck-root.service systemd-binfmt.service systemd-ask-password-console.path
	systemd-firstboot.service systemd-machine-id-commit.service systemd-rfkill.service systemd-rfkill.socket
	systemd-tmpfiles-clean.timer apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer
	e2scrub_all.timer e2scrub_reap.service fstrim.timer
	getty.target getty@tty1.service serial-getty@ttyS0.service console-getty.service
	dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount sys-kernel-tracing.mount
	sys-fs-fuse-connections.mount sys-kernel-config.mount
	modprobe@configfs.service modprobe@drm.service modprobe@efi_pstore.service modprobe@fuse.service
	modprobe@dm_mod.service modprobe@loop.service
)

out=$1 owner=$2
here=$(cd "$(dirname "$0")" && pwd)
root=$out/root
# One file system only: while mmdebstrap works, /proc and /dev hang in there.
trap 'rm -rf --one-file-system "$root"' EXIT

step() { printf '%s\n' "$*"; }

bootstrap() {
	local options=() module folder
	for module in "${absent[@]}"; do
		options+=(--dpkgopt="path-exclude=/lib/modules/*/kernel/$module/*")
	done
	for folder in doc man locale info; do
		options+=(--dpkgopt="path-exclude=/usr/share/$folder/*")
	done
	# For the scenario in which NetworkManager is removed and installed again.
	options+=(--customize-hook='mkdir "$1/var/lib/packages" && chroot "$1" sh -c "cd /var/lib/packages && apt-get download --quiet=2 network-manager"')
	# INITRD=No: Debian's own initrd takes 30 s to build here and 10 s to boot.
	INITRD=No mmdebstrap --mode=root --variant=apt --quiet "${options[@]}" \
		--include="$(IFS=,; echo "${packages[*]}")" "$release" "$root" "$mirror"
}

configure() {
	local unit
	for unit in "${masked[@]}"; do
		ln -sf /dev/null "$root/etc/systemd/system/$unit"
	done
	cp -r "$here/files/." "$root/"
	chroot "$root" systemctl --quiet enable systemd-networkd.service
	chroot "$root" useradd --create-home --shell /bin/bash pi
	chroot "$root" useradd --create-home --shell /bin/bash guest
	chroot "$root" passwd --quiet --delete root
	(cd "$root" && rm -rf "${superfluous[@]}")
	rm -f "$root/etc/machine-id" "$root/etc/resolv.conf" "$root"/var/cache/apt/*.bin
	echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"
	echo netconnectd-lab >"$root/etc/hostname"
	printf '127.0.0.1 localhost\n127.0.1.1 netconnectd-lab\n' >"$root/etc/hosts"
	: >"$root/etc/resolv.conf"
}

# The initrd of Debian's kernel does one thing: insert what the disk needs and go
# on from there.
initrd() {
	local kernel=$1 work=$root/tmp/initrd module
	mkdir -p "$work"/{bin,dev,proc,root,modules}
	cp "$root/bin/busybox" "$work/bin/"
	chroot "$root" modprobe --show-depends --set-version "$kernel" --all virtio_pci virtio_blk ext4 crc32c_generic |
		awk '$1 == "insmod" && !seen[$2]++ { print $2 }' >"$work/order"
	while read -r module; do
		cp "$root$module" "$work/modules/"
		basename "$module" >>"$work/modules/order"
	done <"$work/order"
	rm "$work/order"
	install -m 755 "$here/init" "$work/init"
	chroot "$root" sh -c 'cd /tmp/initrd && find . | busybox cpio -o -H newc 2>/dev/null' >"$out/initrd"
	rm -r "$work"
}

# The root of the machine in virtual time, which has its root in memory and none of
# Debian's kernel. The archive cannot hold file capabilities: see files/lab-init.
root_archive() {
	chroot "$root" sh -c 'getcap -r /bin /sbin /usr' >"$root/etc/lab-capabilities"
	(cd "$root" && find . -path ./lib/modules -prune -o -path ./usr/lib/modules -prune -o -path ./boot -prune -o -print |
		bin/busybox cpio -o -H newc 2>/dev/null) >"$out/root.cpio"
}

step "downloading and unpacking Debian $release with ${#packages[@]} packages"
bootstrap
step "configuring it"
configure
kernel=$(basename "$root"/lib/modules/*)
cp "$root/boot/vmlinuz-$kernel" "$out/vmlinuz"
step "writing the initrd for Linux $kernel"
initrd "$kernel"
step "writing the root in memory"
root_archive
step "writing the disk"
mke2fs -q -t ext4 -O ^has_journal -m 0 -d "$root" "$out/root.ext4" 2G >/dev/null
chown "$owner" "$out"/{root.ext4,vmlinuz,initrd,root.cpio}
