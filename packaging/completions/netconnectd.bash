# bash completion for netconnectd. Made from its flags; see internal/config.
_netconnectd() {
	local cur=$2 flag=$3 words='' name
	if [[ $flag == = ]]; then
		flag=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	case $flag in
	--config | -c) compopt -o default && return ;;
	--pid | -p) compopt -o default && return ;;
	--logfile) compopt -o default && return ;;
	--daemon) words='status stop' ;;
	--bundle) compopt -o default && return ;;
	--address | -a) compopt -o default && return ;;
	--permissions-change) words='group everyone' ;;
	--interface-wifi)
		for name in /sys/class/net/*; do
			name=${name##*/}
			[[ $name == "$cur"* ]] && COMPREPLY+=("$(printf %q "$name")")
		done
		return
		;;
	--interface-wired)
		for name in /sys/class/net/*; do
			name=${name##*/}
			[[ $name == "$cur"* ]] && COMPREPLY+=("$(printf %q "$name")")
		done
		return
		;;
	--probe-kind) words='gateway ping http dns none' ;;
	--ap-mode) words='fallback always never' ;;
	--ap-isolate) words='true false auto' ;;
	--wifi-backend) words='auto wpa_supplicant networkmanager' ;;
	--path-hostapd) compopt -o default && return ;;
	--path-dnsmasq) compopt -o default && return ;;
	--path-wpa-supplicant) compopt -o default && return ;;
	--path-runtime) compopt -o default && return ;;
	--path-state) compopt -o default && return ;;
	--path-hooks) compopt -o default && return ;;
	--path-hostapd-conf) compopt -o default && return ;;
	--path-dnsmasq-conf) compopt -o default && return ;;
	--path-interfaces) compopt -o default && return ;;
	--linkmon-maxdown | --linkmon-interval | --linkmon-hold | --probe-hosts | --probe-url | --probe-name | --start-settle | --ap-ssid | --ap-psk | --ap-channel | --ap-country | --ap-ip | --ap-network | --ap-range | --ap-domain | --ap-asked-limit | --ap-yield-after | --ap-rescan | --ap-driver | --ap-name | --wifi-metric | --wifi-join-timeout | --wifi-name) return ;;
	*) words='--config --check --tear-down --version --debug --quiet --foreground --pid --logfile --daemon --doctor --bundle --address --permissions-change --interface-wifi --interface-wired --linkmon-disabled --linkmon-maxdown --linkmon-interval --linkmon-hold --probe-kind --probe-hosts --probe-url --probe-name --start-settle --ap-mode --ap-ssid --ap-psk --ap-channel --ap-country --ap-ip --ap-network --ap-range --ap-domain --ap-forwarding --ap-isolate --ap-asked-limit --ap-yield-after --ap-rescan --ap-driver --ap-name --wifi-metric --wifi-join-timeout --wifi-free --wifi-backend --wifi-kill --wifi-name --path-hostapd --path-dnsmasq --path-wpa-supplicant --path-runtime --path-state --path-hooks --path-hostapd-conf --path-dnsmasq-conf --path-interfaces' ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _netconnectd netconnectd
