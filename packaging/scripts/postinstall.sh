#!/bin/sh
# Runs after the files are in place: of the package, and of `make install`.
set -e

units=${UNITS:-/usr/lib/systemd/system}
share=${SHARE:-/usr/share/trackgate}
before=$2 # the version that was configured before; empty for the first one

[ "${1:-configure}" = configure ] || exit 0

if command -v systemd-sysusers >/dev/null; then
	systemd-sysusers trackgate.conf
fi
if getent group trackgate >/dev/null && [ -z "$before" ]; then
	# The settings may hold passwords.
	chgrp trackgate /etc/trackgate /etc/trackgate/trackgate.yaml
	chmod 0750 /etc/trackgate
	chmod 0640 /etc/trackgate/trackgate.yaml
fi

# An older systemd cannot reload by itself. The file does no harm to a newer one, which
# it may live to see.
version=$(systemctl --version 2>/dev/null | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
if [ "${version:-253}" -lt 253 ]; then
	mkdir -p "$units/trackgate.service.d"
	ln -sf "$share/before-253.conf" "$units/trackgate.service.d/before-253.conf"
else
	rm -f "$units/trackgate.service.d/before-253.conf"
fi

if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	# The new program takes over where the old one runs; it drains first.
	systemctl try-restart trackgate.service
fi
if [ -z "$before" ]; then
	echo "trackgate: edit /etc/trackgate/trackgate.yaml, then: trackgate check && systemctl enable --now trackgate"
fi
