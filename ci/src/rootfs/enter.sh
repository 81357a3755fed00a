# enter TREE LAYER SHARE COMMAND…: runs COMMAND with TREE as its root, in the mount namespace that the caller made.
# With LAYER the root is a writable overlay whose changes are kept in LAYER; without it the root is read-only.
# With SHARE that directory is at /mnt. With the command word --outside the rest runs without changing root.
set -e
tree=$1 layer=$2 share=$3
shift 3
if [ -n "$layer" ]; then
    root=$layer/root
    mount -t overlay overlay -o "lowerdir=$tree,upperdir=$layer/upper,workdir=$layer/work" "$root"
else
    root=$tree
    mount --bind "$root" "$root"
    mount -o remount,bind,ro "$root"
fi
if [ -n "$share" ]; then
    mount --bind "$share" "$root/mnt"
fi
if [ "$1" = --outside ]; then
    shift
    exec "$@"
fi
mount -t proc proc "$root/proc"
# Not the host's own devices: a tool that labels everything would label those too.
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for node in null zero urandom; do
    : >"$root/dev/$node"
    mount --bind "/dev/$node" "$root/dev/$node"
done
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
exec chroot "$root" "$@"
