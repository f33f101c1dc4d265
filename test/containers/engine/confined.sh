# sh confined.sh ROOT USER FOLDER [SOURCE TARGET ro|rw]... -- [NAME=VALUE]... PROGRAM...
# Runs a program as a container would be run, in namespaces of mounts and processes that `unshare` has made: on a tree that
# cannot be written to, with an own /tmp, /proc and /dev, as a user without rights who cannot get any.
set -eu
root=${1:?} user=$2 folder=$3
shift 3
mount --make-rprivate /
mount --bind "$root" "$root"
mount -o remount,bind,ro,nosuid "$root"
mount -t tmpfs -o size=512m,mode=1777,nosuid,nodev tmpfs "$root/tmp"
mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
mount -t tmpfs -o size=64k,mode=755,nosuid tmpfs "$root/dev"
for device in null zero full random urandom; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mount -o remount,ro "$root/dev"
while [ "$1" != -- ]; do
  mount --bind "$1" "$root$2"
  mount -o "remount,bind,$3,nosuid,nodev" "$root$2"
  shift 3
done
shift
exec setpriv --no-new-privs --inh-caps=-all --bounding-set=-all,+sys_chroot,+setuid,+setgid \
  chroot --userspec="$user" --groups= "$root" /usr/bin/env -i --chdir="$folder" "$@"
