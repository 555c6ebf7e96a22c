#!/bin/sh
# Runs after the files are gone. The user stays, as files of it may.
set -e

units=/usr/lib/systemd/system/trackgate.service.d

case "$1" in
remove | purge)
	rm -f "$units/before-253.conf"
	rmdir "$units" 2>/dev/null || true
	if [ -d /run/systemd/system ]; then
		systemctl daemon-reload
	fi
	;;
esac
if [ "$1" = purge ]; then
	# Certificates, accounts and the internal CA, with their keys.
	rm -rf /var/lib/trackgate /var/log/trackgate
fi
