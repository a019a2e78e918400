#!/bin/sh
# Accepts traffic from an address again. Succeeds if it is not banned.
case $1 in
  *:*) set=banned6 ;;
  *) set=banned4 ;;
esac
nft delete element inet world $set "{ $1 }" 2>/dev/null || ! nft get element inet world $set "{ $1 }" 2>/dev/null
