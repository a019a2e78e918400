#!/bin/bash
# Process 1 of a private world, which has its own processes, mounts, host name and network over a copy-on-write
# view of this machine's root directory and of the files in `root/`. `unshare` runs it. When its standard input
# closes, it ends, and everything in the world with it.
# $1: a program; $2: its path in the world.
set -euo pipefail
files=$(realpath "$(dirname "$0")/root")
program=$(realpath "$1") place=$2

mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs /mnt
mkdir /mnt/{upper,work,root}
mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work overlay /mnt/root
cd /mnt/root

mount -t proc proc proc
mount -t sysfs sysfs sys
mount --rbind /sys/fs/cgroup sys/fs/cgroup
for dir in run tmp var/log var/lib/strongmonitor; do
  mkdir -p "$dir"
  mount -t tmpfs -o mode=755 tmpfs "$dir"
done
chmod 1777 tmp
mount -t tmpfs -o mode=755 tmpfs dev
for node in null zero full random urandom tty; do
  touch "dev/$node"
  mount --bind "/dev/$node" "dev/$node"
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s /run/systemd/journal/dev-log dev/log
mkdir -p run/sshd run/lock run/systemd/journal
install -D -m 755 /dev/null "./$place"
mount --bind "$program" "./$place"

cp -r "$files/." .

pivot_root . mnt
umount -l /mnt
hostname world
ip link set lo up
echo ready
read -r _ || true
