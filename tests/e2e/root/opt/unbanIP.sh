#!/bin/sh
# Lets one address in again; one that is not banned is none the worse for it.
case $1 in
  *:*) set=banned6 ;;
  *) set=banned4 ;;
esac
nft delete element inet world $set "{ $1 }" 2>/dev/null || ! nft get element inet world $set "{ $1 }" 2>/dev/null
