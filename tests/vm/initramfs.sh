# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The initial RAM disk: a base for each kernel (BusyBox and modules), made once
# and kept in the cache, and an overlay for each run (guest-init, the caller's
# files). The kernel unpacks cpio archives that follow each other as if they
# were one, so a run only has to concatenate the two.

: "${vm_dir:?read common.sh first}"

# skeleton ROOT: the directories and links that the base and the overlay agree on.
skeleton() {
    local root=$1
    mkdir -p "$root"/{bin,dev,etc,lib/modules,lib64,mnt,out,proc,root,run,sys,tmp,usr,var}
    ln -s bin "$root/sbin"
    ln -s ../bin "$root/usr/bin"
    ln -s ../bin "$root/usr/sbin"
    ln -s ../lib "$root/usr/lib"
    ln -s ../lib64 "$root/usr/lib64"
    ln -s ../run "$root/var/run"
    ln -s ../tmp "$root/var/tmp"
}

# archive ROOT: writes ROOT as a cpio archive in the kernel's format to stdout.
# Everything belongs to root in the guest, whoever runs this.
archive() {
    (cd "$1" && find . -mindepth 1 -print0 | LC_ALL=C sort -z |
        cpio --quiet --null --create --format=newc --owner=+0:+0)
}

# unpacked MODULE: the contents of a module file, whichever way it is packed.
unpacked() {
    case $1 in
        *.ko) cat "$1" ;;
        *.ko.xz) xz --decompress --stdout "$1" ;;
        *.ko.zst) zstd --quiet --decompress --stdout "$1" ;;
        *) die "$1 is packed in a way that is not known here" ;;
    esac
}

# add_modules MODULES DIRECTORY: puts the modules of modules.list and all they
# depend on into DIRECTORY, and their order of loading into DIRECTORY/order.
add_modules() {
    local modules=$1 directory=$2 path name flag
    local -A files=() added=()
    while read -r path; do
        name=${path##*/}
        name=${name%%.ko*}
        files[${name//-/_}]=$path
    done < <(find "$modules/kernel" -name '*.ko*')

    add_module() {
        local module=$1 wanted_by=$2 optional=$3 dependency
        [[ -z ${added[$module]:-} ]] || return 0
        added[$module]=1
        if [[ -z ${files[$module]:-} ]]; then
            # A module file may be called nf-tables or nf_tables.
            [[ -n $optional ]] || grep -qE "/${module//_/[-_]}\.ko\$" "$modules/modules.builtin" ||
                die "the kernel in ${modules%/modules} has no module $module (wanted by $wanted_by)"
            return 0
        fi
        unpacked "${files[$module]}" >"$directory/$module.ko"
        for dependency in $(tr '\0' '\n' <"$directory/$module.ko" |
            LC_ALL=C sed -n 's/^depends=//p' | tr ',-' ' _'); do
            add_module "$dependency" "$module" ''
        done
        printf '%s\n' "$module" >>"$directory/order"
    }

    while read -r name flag; do
        add_module "$name" modules.list "$flag"
    done < <(sed '/^#/d; /^$/d' "$vm_dir/modules.list")
}

# base_initramfs KERNEL: prints the path of the base archive for the kernel in
# that directory. It is made when something that goes into it has changed. Two at
# once do no harm: each makes its own, and the last one's stays.
base_initramfs() (
    kernel=$1
    busybox=$(command -v busybox)
    key=$(cat "$busybox" "$vm_dir/modules.list" "$vm_dir/initramfs.sh" | sha256sum)
    base=$kernel/base-${key:0:16}.cpio
    if [[ ! -e $base ]]; then
        stage=$(mktemp -d "$kernel/.base.XXXXXX")
        trap 'rm -rf "$stage"' EXIT
        skeleton "$stage/root"
        cp "$busybox" "$stage/root/bin/busybox"
        while read -r applet; do
            [[ $applet == busybox ]] || ln -s busybox "$stage/root/bin/$applet"
        done < <("$busybox" --list)
        add_modules "$kernel/modules" "$stage/root/lib/modules"
        archive "$stage/root" >"$stage/cpio"
        mv "$stage/cpio" "$base"
    fi
    printf '%s\n' "$base"
)

# new_overlay ROOT: an overlay with guest-init and the few files in /etc.
new_overlay() {
    local root=$1
    skeleton "$root"
    install -m 755 "$vm_dir/guest-init" "$root/init"
    printf '%s\n' root:x:0:0:root:/root:/bin/sh nobody:x:65534:65534:nobody:/:/bin/false >"$root/etc/passwd"
    printf '%s\n' root:x:0: nogroup:x:65534: >"$root/etc/group"
    printf '%s\n' '127.0.0.1 localhost guest' '::1 localhost' >"$root/etc/hosts"
}

# check_guest_path PATH: stops unless a file at PATH would be seen in the guest.
check_guest_path() {
    case $1 in
        /dev | /dev/* | /proc | /proc/* | /sys | /sys/* | /run | /run/* | /tmp | /tmp/* | /var/run/* | /var/tmp/*)
            die "$1: the guest mounts a file system over that directory, choose another" ;;
        /*) ;;
        *) die "$1: a path in the guest has to begin with /" ;;
    esac
}

# add_file ROOT HOSTPATH GUESTPATH
add_file() {
    check_guest_path "$3"
    [[ -f $2 ]] || die "$2: no such file"
    mkdir -p "$(dirname -- "$1$3")"
    cp --dereference --preserve=mode,timestamps --remove-destination -- "$2" "$1$3"
}

# add_directory ROOT HOSTDIR GUESTDIR
add_directory() {
    check_guest_path "$3"
    [[ -d $2 ]] || die "$2: no such directory"
    mkdir -p "$1$3"
    cp --recursive --no-dereference --preserve=mode,timestamps,links --remove-destination -- "$2/." "$1$3"
}

# add_program ROOT NAME: a program of the host with the shared libraries it needs.
add_program() {
    local program library
    program=$(command -v -- "$2") || die "$2: no such program on this machine"
    add_file "$1" "$program" "/bin/${program##*/}"
    # "not a dynamic executable" is ldd's failure, and fine here.
    while read -r library; do
        add_file "$1" "$library" "$library"
    done < <({ ldd "$program" 2>/dev/null || true; } | sed -nE 's/^[^/]*(\/[^ ]+) \(0x.*/\1/p')
}
