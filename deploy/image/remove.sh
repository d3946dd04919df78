#!/bin/sh
# Run while the image is built: remove from the base what a running service has no use for.
set -eu

# Python's installers and what only people at a screen need.
library=$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')
rm -rf "$library/ensurepip" "$library/idlelib" "$library/turtledemo" "$library/tkinter" "$library/lib2to3" \
    "$library/pydoc_data" "$library/site-packages/pip" "$library"/site-packages/pip-*.dist-info \
    "$library/site-packages/setuptools" "$library"/site-packages/setuptools-*.dist-info /usr/local/bin/pip* \
    /usr/local/bin/idle* /usr/local/bin/2to3* /usr/share/python-wheels

# Debian's installers, file-system tools and Perl, by its package manager, whose list of what is left scanners read.
export DEBIAN_FRONTEND=noninteractive
purge() {
    found=$(dpkg-query --show --showformat '${Package}\n' "$@" 2>/dev/null || true)
    # shellcheck disable=SC2086 # a list of words
    [ -z "$found" ] || dpkg --purge --force-depends --force-remove-essential --force-remove-protected $found
}
purge adduser apt debian-archive-keyring e2fsprogs gpgv libapt-pkg6.0 libext2fs2 libgnutls30 libhogweed6 \
    libidn2-0 libnettle8 libp11-kit0 libss2 libtasn1-6 libunistring2 logsave mount util-linux-extra
purge debconf perl-base
rm -rf /var/lib/apt /var/cache/apt /var/cache/debconf /var/log/* /usr/share/doc /usr/share/man /usr/share/locale \
    /usr/lib/*/gconv /usr/lib/*/perl-base
