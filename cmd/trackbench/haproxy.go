package main

import "time"

// haproxy is Debian's package with one thread, connections to the backend shared
// and kept.
//
//   - The log goes through a ring, which sends many lines at once, to a log server
//     over TCP: cheaper by 4 us a request than a line at a time to standard output,
//     and by 9 than UDP.
//   - pool-max-conn 256: as many connections to the backend as requests are under way
//     at most; fewer would be closed and made anew all the time.
//   - tune.ssl.cachesize 0: sessions of TLS 1.3 are stateless tickets; filling the
//     cache costs some per cent of a handshake.
func haproxy() contender {
	return contender{
		name:        "haproxy",
		binary:      "haproxy",
		settings:    haproxySettings,
		start:       func(s site) []string { return []string{"-db", "-f", s.settingsFile()} },
		version:     []string{"-v"},
		logsOverTCP: true,
		flush:       200 * time.Millisecond,
	}
}

const haproxySettings = `global
  nbthread 1
  maxconn 8000
  log ring@lines format raw local0
  ssl-default-bind-options ssl-min-ver TLSv1.3
  ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256
  ssl-default-bind-curves X25519
  tune.ssl.cachesize 0
  tune.h2.max-concurrent-streams 100
  tune.ssl.lifetime 3600
defaults
  mode http
  log global
  log-format '{"time":"%tr","client":"%ci","protocol":"%HV","method":"%HM","path":"%HPO","status":%ST,"bytes_in":%U,"bytes_out":%B,"duration_ms":%Ta,"backend":"%si:%sp","attempts":"%rc","backend_ms":%Tr,"tls":"%sslv","request_id":"%rt","user_agent":"%[capture.req.hdr(0)]"}'
  option http-keep-alive
  http-reuse always
  timeout connect 1s
  timeout client 300s
  timeout http-request 10s
  timeout http-keep-alive 300s
  timeout server 30s
ring lines
  format raw
  maxlen 1200
  size 1048576
  timeout connect 1s
  timeout server 10s
  server sink {{.LogServer}}
frontend public
  bind {{.Address}} ssl crt {{.Bundle}} alpn h2,http/1.1 backlog 4096
  declare capture request len 128
  http-request capture req.hdr(user-agent) id 0
  http-request return status 404 unless { method POST } { path -m str /track }
  http-request set-header X-Forwarded-For %[src]
  default_backend collectors
backend collectors
  option httpchk GET /healthcheck
  server one {{.Backend}} check inter 5s pool-max-conn 256 pool-low-conn 256 pool-purge-delay 300s
`
