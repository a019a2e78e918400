#!/bin/sh
# nft(8), which counts the transactions that it is given.
case " $* " in
  *" -f "*) echo >> /run/nft_transactions ;;
esac
exec /usr/sbin/nft "$@"
