# Starts systemd in the namespaces of this process, on a file system of its own.
# $1: an empty folder, $2: the folder of the package, settings and script
set -e
ip link set lo up
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
root=$1/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t sysfs sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs tmpfs "$root/run"
mkdir -p "$root/host"
mount --bind "$2" "$root/host"
cat >"$root/etc/systemd/system/trial.service" <<'UNIT'
[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
ExecStart=/bin/bash /host/inside.sh
StandardOutput=file:/host/said
StandardError=file:/host/complained
UNIT
cat >"$root/etc/systemd/system/trial.target" <<'UNIT'
[Unit]
DefaultDependencies=no
Wants=trial.service systemd-journald.service
UNIT
echo begins
container=trial exec chroot "$root" /lib/systemd/systemd --unit=trial.target --log-target=console
