#!/bin/sh
# Runs nft(8) and counts its transactions.
case " $* " in
  *" -f "*) echo >> /run/nft_transactions ;;
esac
exec /usr/sbin/nft "$@"
