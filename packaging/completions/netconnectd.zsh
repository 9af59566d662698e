#compdef netconnectd
# zsh completion for netconnectd. Made from its flags; see internal/config.
_arguments \
	'--config=:config:_files' \
	'-c:config:_files' \
	'--check' \
	'--tear-down' \
	'--version' \
	'-v' \
	'--debug' \
	'-d' \
	'--quiet' \
	'-q' \
	'--foreground' \
	'-F' \
	'--pid=:pid:_files' \
	'-p:pid:_files' \
	'--logfile=:logfile:_files' \
	'--daemon=:daemon:(status stop)' \
	'--doctor' \
	'--bundle=:bundle:_files' \
	'--address=:address:_files' \
	'-a:address:_files' \
	'--permissions-change=:permissions-change:(group everyone)' \
	'--interface-wifi=:interface-wifi:_net_interfaces' \
	'--interface-wired=:interface-wired:_net_interfaces' \
	'--linkmon-disabled' \
	'--linkmon-maxdown=:linkmon-maxdown: ' \
	'--linkmon-interval=:linkmon-interval: ' \
	'--linkmon-hold=:linkmon-hold: ' \
	'--probe-kind=:probe-kind:(gateway ping http dns none)' \
	'--probe-hosts=:probe-hosts: ' \
	'--probe-url=:probe-url: ' \
	'--probe-name=:probe-name: ' \
	'--start-settle=:start-settle: ' \
	'--ap-mode=:ap-mode:(fallback always never)' \
	'--ap-ssid=:ap-ssid: ' \
	'--ap-psk=:ap-psk: ' \
	'--ap-channel=:ap-channel: ' \
	'--ap-country=:ap-country: ' \
	'--ap-ip=:ap-ip: ' \
	'--ap-network=:ap-network: ' \
	'--ap-range=:ap-range: ' \
	'--ap-domain=:ap-domain: ' \
	'--ap-forwarding' \
	'--ap-isolate=:ap-isolate:(true false auto)' \
	'--ap-asked-limit=:ap-asked-limit: ' \
	'--ap-yield-after=:ap-yield-after: ' \
	'--ap-rescan=:ap-rescan: ' \
	'--ap-driver=:ap-driver: ' \
	'--ap-name=:ap-name: ' \
	'--wifi-metric=:wifi-metric: ' \
	'--wifi-join-timeout=:wifi-join-timeout: ' \
	'--wifi-free' \
	'--wifi-backend=:wifi-backend:(auto wpa_supplicant networkmanager)' \
	'--wifi-kill' \
	'--wifi-name=:wifi-name: ' \
	'--path-hostapd=:path-hostapd:_files' \
	'--path-dnsmasq=:path-dnsmasq:_files' \
	'--path-wpa-supplicant=:path-wpa-supplicant:_files' \
	'--path-runtime=:path-runtime:_files' \
	'--path-state=:path-state:_files' \
	'--path-hooks=:path-hooks:_files' \
	'--path-hostapd-conf=:path-hostapd-conf:_files' \
	'--path-dnsmasq-conf=:path-dnsmasq-conf:_files' \
	'--path-interfaces=:path-interfaces:_files'
