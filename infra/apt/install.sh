#!/bin/sh
# Installs the system packages that tests of other people's programs need. Debian, as root.
set -eu
packages=$(sed 's/#.*//' "$(dirname "$0")/packages.txt" | tr '\n' ' ')
missing=''
for package in $packages; do
  dpkg-query --show --showformat='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' ||
    missing="$missing $package"
done
[ -n "$missing" ] || exit 0
apt-get update -qq
# Services are started by tests only, by pid and on their own ports.
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod +x /usr/sbin/policy-rc.d
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
rm -f /usr/sbin/policy-rc.d
