#!/bin/sh
# The image's entrypoint. It sets the file mask, gives up root where it was asked to, and becomes Synd:
# every way out is an exec or exit 78, so Synd is the process that gets the signals.
#
#   UMASK=002            for whatever user
#   PUID=1000 PGID=1000  only when the container starts as root; nothing is ever chowned
set -eu

refuse() {
  echo "synd: $1" >&2
  exit 78
}

# Usage: require_id NAME VALUE
require_id() {
  case $2 in
    '' | *[!0-9]* | ??????????*) refuse "$1=$2 is no numeric user or group id: set it to a number such as 1000" ;;
  esac
}

# Groups given with --group-add or fsGroup stay; root's own does not.
other_groups() {
  groups=
  for group in $(id -G); do
    if [ "$group" != 0 ] && [ "$group" != "$1" ]; then groups="$groups,$group"; fi
  done
  echo "$1$groups"
}

# Bits 6 and 7 of the capabilities: SETGID and SETUID.
can_change_user() {
  capabilities=$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status)
  [ "$((0x$capabilities & 0xc0))" -eq "$((0xc0))" ]
}

case ${UMASK:-unset} in
  unset) ;;
  [0-7][0-7][0-7] | 0[0-7][0-7][0-7]) umask "$UMASK" ;;
  *) refuse "UMASK=$UMASK is no file mask: set it to three octal digits such as 022" ;;
esac

synd=/app/bin/synd.js
started_as=$(id -u)

if [ -z "${PUID:-}${PGID:-}" ]; then
  exec node "$synd" "$@"
fi

uid=${PUID:-}
require_id PUID "$uid"
gid=${PGID:-$uid}
require_id PGID "$gid"
unset PUID PGID

if [ "$started_as" != 0 ]; then
  if [ "$started_as" != "$uid" ]; then
    echo "synd: PUID=$uid is ignored, for this container starts as user $started_as: leave PUID out, or start it as root" >&2
  fi
  exec node "$synd" "$@"
fi

if [ "$uid" = 0 ]; then
  exec node "$synd" "$@"
fi

if ! can_change_user; then
  refuse "cannot become PUID=$uid without the capabilities SETUID and SETGID: add both (cap_add), or leave PUID out and set user: \"$uid:$gid\""
fi
exec setpriv --reuid "$uid" --regid "$gid" --groups "$(other_groups "$gid")" --inh-caps=-all --no-new-privs \
  node "$synd" "$@"
