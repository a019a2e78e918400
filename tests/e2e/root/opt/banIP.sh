#!/bin/sh
# Drops all traffic from an address. Fails while /run/firewall_broken exists.
if [ -e /run/firewall_broken ]; then
  echo "the firewall is broken" >&2
  exit 1
fi
case $1 in
  *:*) set=banned6 ;;
  *) set=banned4 ;;
esac
exec nft add element inet world $set "{ $1 }"
