#!/bin/sh
# Runs before the files go. An upgrade leaves the service as it is until the new program
# is there.
set -e

if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
	systemctl disable --now trackgate.service
fi
