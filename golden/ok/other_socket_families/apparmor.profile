… 13 lines as without rules
  # r1
  network inet raw,
  network inet6 raw,
  network packet raw,
  network packet dgram,
  network vsock stream,
  network vsock dgram,
  network vsock seqpacket,
  network inet dgram,
  network inet6 dgram,
  network alg seqpacket,

  include if exists <local/canc.app>
}
