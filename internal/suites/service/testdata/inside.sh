# A life of the service. Each line of the output is a fact.
cd /
state() { systemctl show trackgate -P "$1"; }
ask() { curl -sk --resolve "$1:443:127.0.0.1" "https://$1/docs"; }
# eventually waits until a command succeeds, for ten seconds.
eventually() {
	for _ in $(seq 100); do
		if "$@"; then return 0; fi
		sleep 0.1
	done
	return 1
}

dpkg -i /host/trackgate.deb >&2
echo "installed: $? $(stat -c '%U:%G %a' /etc/trackgate/trackgate.yaml)"
cat /host/trackgate.yaml >/etc/trackgate/trackgate.yaml
mkdir -p /run/systemd/system/trackgate.service.d
# The targets of a whole machine are not here, and a test has no half a minute.
cat >/run/systemd/system/trackgate.service.d/trial.conf <<'UNIT'
[Unit]
DefaultDependencies=no
Wants=
After=
[Service]
WatchdogSec=2s
UNIT
systemctl daemon-reload

systemctl start trackgate
echo "started: $? $(state ActiveState)"
echo "status: $(state StatusText)"
first=$(state MainPID)
echo "user: $(stat -c %U "/proc/$first")"
echo "capabilities: $(awk '/^CapEff/ {print $2}' "/proc/$first/status")"
echo "queue: $(ss -ltnH 'sport = 443' | awk '{print $3}')"
echo "answers: $(ask track.example.com)"

sed -i 's/"track.example.com"/"track.example.com", "more.example.com"/' /etc/trackgate/trackgate.yaml
systemctl reload trackgate
echo "reloading: $?"
answers() { [ -n "$(ask more.example.com)" ]; }
eventually answers
echo "reloaded: $? $([ "$(state MainPID)" = "$first" ] && echo the same process) $(state ActiveState)"

trackgate upgrade >&2
echo "upgraded: $?"
is_other() { [ "$(state MainPID)" != "$first" ]; }
eventually is_other
second=$(state MainPID)
echo "followed: $? $(stat -c %U "/proc/$second") $(state ActiveState)"
is_gone() { [ ! -e "/proc/$first" ]; }
eventually is_gone
echo "relieved: $? $(ask track.example.com)"

sleep 5
echo "watched: $(state NRestarts) restarts"
kill -STOP "$second"
is_ended() { [ "$(state NRestarts)" != 0 ] && [ "$(state SubState)" = running ]; }
eventually is_ended
echo "frozen: $(state NRestarts) restarts, $(state ActiveState)"
echo "stacks: $(journalctl -u trackgate --no-pager | grep -c 'SIGABRT: abort')"

systemctl stop trackgate
echo "stopped: $? $(state Result) $(state ExecMainStatus)"
dpkg -P trackgate >&2
echo "purged: $? $(ls -d /etc/trackgate /var/lib/trackgate /usr/lib/systemd/system/trackgate.service.d 2>/dev/null)"
systemctl exit 0
